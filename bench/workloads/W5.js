import { refused, requests as valid } from '../shared/order.js'

export const title = '`POST /orders` of 1 KB, validated by a schema, 201 with `Location`'
export const servers = 'servers/validated'
export const requests = valid
export const alsoVerify = refused
