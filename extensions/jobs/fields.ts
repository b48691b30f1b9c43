/**
 * What a list of jobs has, as the fields of a resource of kolba/collection.
 *
 * @example const work = jobs({ list: collection(resource({ fields: jobFields, sort: '-created' })) })
 */
export const jobFields = {
  id: 'string',
  task: 'string',
  state: ['queued', 'running', 'succeeded', 'failed', 'cancelled'],
  attempts: 'number',
  created: 'date',
  due: 'date',
  started: 'date',
  finished: 'date',
} as const
