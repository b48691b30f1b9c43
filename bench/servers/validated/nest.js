import { Body, Controller, Header, Module, Post, ValidationPipe } from '@nestjs/common'
import { Type } from 'class-transformer'
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator'
import { decorate, listen } from '../../shared/nest.js'
import { summaryOf } from '../../shared/order.js'

export const title = 'nest on fastify, ValidationPipe with class-validator'
export const packages = ['@nestjs/core', '@nestjs/platform-fastify', 'class-validator', 'class-transformer']

class Line {}
field(Line, 'article', IsString(), Length(1, 60))
field(Line, 'quantity', IsInt(), Min(1), Max(1000))
field(Line, 'gift', IsOptional(), IsBoolean())
field(Line, 'note', IsOptional(), IsString(), Length(0, 200))

class Order {}
field(Order, 'customer', IsString(), Length(1, 80))
field(Order, 'email', IsString(), Length(3, 200), Matches(/^[^@ ]+@[^@ ]+$/))
field(Order, 'currency', IsIn(['EUR', 'USD', 'GBP']))
field(
  Order,
  'lines',
  IsArray(),
  ArrayMinSize(1),
  ArrayMaxSize(50),
  ValidateNested({ each: true }),
  Type(() => Line),
)
field(Order, 'comment', IsOptional(), IsString(), Length(0, 1000))

/** Decorators of a property, in the order in which tsc applies them. */
function field(target, name, ...decorators) {
  for (const decorator of decorators.reverse()) decorator(target.prototype, name)
}

class Orders {
  create(order) {
    return summaryOf(order)
  }
}
decorate(Orders, 'create', [Post(), Header('Location', '/orders/1')], [Body()])
// What tsc emits of the type of the parameter, by which the pipe knows the class.
Reflect.defineMetadata('design:paramtypes', [Order], Orders.prototype, 'create')
decorate(Orders, [Controller('orders')])

class App {}
decorate(App, [Module({ controllers: [Orders] })])

export default await listen(App, app => app.useGlobalPipes(new ValidationPipe({ whitelist: true, transform: true })))
