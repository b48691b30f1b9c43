import type { ExecutionContext } from 'ava'
import { packagesOf } from './packages.ts'

// Clients that bring React with them have a folder of their own, which `npm test` installs.

const testPackages = packagesOf('clients')

/**
 * A test with a client of that folder, its default export. Where they are not installed the test is skipped, under a
 * title that says so, or fails if `KOLBA_REQUIRE` names `clients`.
 */
export function testClient<C>(name: string, title: string, run: (t: ExecutionContext, client: C) => Promise<void>) {
  testPackages(title, (t, load) => run(t, load(name) as C))
}

/** What of react-admin's `DataProvider` is used. */
export type ReactAdmin = (url: string) => {
  getList(
    resource: string,
    params: { pagination?: Pagination; sort?: { field: string; order: 'ASC' | 'DESC' }; filter: object; meta?: object },
  ): Promise<{ data: Item[]; total: number }>
  getManyReference(
    resource: string,
    params: {
      target: string
      id: unknown
      pagination: Pagination
      sort: { field: string; order: 'ASC' | 'DESC' }
      filter: object
    },
  ): Promise<{ data: Item[]; total: number }>
  getOne(resource: string, params: { id: unknown }): Promise<{ data: Item }>
  getMany(resource: string, params: { ids: readonly unknown[] }): Promise<{ data: Item[] }>
  create(resource: string, params: { data: object }): Promise<{ data: Item }>
  update(resource: string, params: { id: unknown; data: object }): Promise<{ data: Item }>
  updateMany(resource: string, params: { ids: readonly unknown[]; data: object }): Promise<{ data: unknown[] }>
  delete(resource: string, params: { id: unknown }): Promise<{ data: Item }>
  deleteMany(resource: string, params: { ids: readonly unknown[] }): Promise<{ data: unknown[] }>
}

interface Pagination {
  page: number
  perPage: number
}

/** What of Refine's `DataProvider` is used. */
export type Refine = (url: string) => {
  getList(params: {
    resource: string
    pagination?: { currentPage?: number; pageSize?: number; mode?: 'server' | 'off' }
    sorters?: { field: string; order: 'asc' | 'desc' }[]
    filters?: { field: string; operator: string; value: unknown }[]
  }): Promise<{ data: Item[]; total: number }>
  getOne(params: { resource: string; id: unknown }): Promise<{ data: Item }>
  getMany(params: { resource: string; ids: readonly unknown[] }): Promise<{ data: Item[] }>
  create(params: { resource: string; variables: object }): Promise<{ data: Item }>
  update(params: { resource: string; id: unknown; variables: object }): Promise<{ data: Item }>
  deleteOne(params: { resource: string; id: unknown; variables?: object }): Promise<{ data: Item }>
}

export type Item = Record<string, unknown>
