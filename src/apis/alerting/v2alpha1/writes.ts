/** Routes that change custom rules. */
import { type PostedRule } from '../../../alerting/types.js'
import { type Static, Type } from '../../../apimachinery/schema/type.js'
import { route, type Route } from '../../../serving/route.js'
import { type AlertingDeps } from './deps.js'
import { PLACES, scopeOf } from './reads.js'

const text = Type.Optional(Type.Union([Type.String(), Type.Null()]))
const texts = Type.Optional(
  Type.Union([Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()])), Type.Null()]),
)
const RuleBody = Type.Object({ name: text, query: text, duration: text, labels: texts, annotations: texts })
const RulesBody = Type.Union([Type.Array(RuleBody), Type.Null()])

export function writeRoutes({ writes }: Pick<AlertingDeps, 'writes'>): Route[] {
  return PLACES.flatMap((place) => [
    route({
      method: 'POST',
      path: pathIn(place, '/rules'),
      summary: 'Create a custom rule.',
      access: 'authorized',
      body: RuleBody,
      handle: (context) => writes.create(scopeOf(context), postedRule(context.body), context.signal),
    }),
    route({
      method: 'PUT',
      path: pathIn(place, '/rules/{rule_name}'),
      summary: 'Replace a custom rule.',
      access: 'authorized',
      body: RuleBody,
      handle: ({ params, body, signal }) =>
        writes.update(scopeOf({ params }), params['rule_name'] ?? '', postedRule(body), signal),
    }),
    route({
      method: 'DELETE',
      path: pathIn(place, '/rules/{rule_name}'),
      summary: 'Delete a custom rule.',
      access: 'authorized',
      handle: ({ params, signal }) => writes.delete(scopeOf({ params }), params['rule_name'] ?? '', signal),
    }),
    route({
      method: 'POST',
      path: pathIn(place, '/bulkrules'),
      summary: 'Create or replace several custom rules; each has its own result.',
      access: 'authorized',
      body: RulesBody,
      handle: (context) =>
        writes.bulkApply(scopeOf(context), (context.body ?? []).map(postedRule), context.signal),
    }),
    route({
      method: 'DELETE',
      path: pathIn(place, '/rules'),
      summary: 'Delete the custom rules named by name=; each has its own result.',
      access: 'authorized',
      handle: (context) => writes.bulkDelete(scopeOf(context), context.query.getAll('name'), context.signal),
    }),
  ])
}

/** Of the type string, so that the namespace is a parameter that may be there. */
function pathIn(place: string, rest: string): string {
  return place + rest
}

/** What is null or missing is empty. */
function postedRule({ name, query, duration, labels, annotations }: Static<typeof RuleBody>): PostedRule {
  return {
    name: name ?? '',
    query: query ?? '',
    duration: duration ?? '',
    labels: textsOf(labels),
    annotations: textsOf(annotations),
  }
}

function textsOf(given: Record<string, string | null> | null | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(given ?? {}).map(([name, value]) => [name, value ?? '']))
}
