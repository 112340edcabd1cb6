/** The form of the files that `--stages` names. */

const text = { type: 'string' }
const texts = { type: 'array', items: text }
const patterns = { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 }
const flag = { type: 'boolean' }
const seconds = { type: 'number', minimum: 0 }
const oneOf = (...values: string[]): object => ({ enum: values })
const someOf = (...values: string[]): object => ({
  if: { type: 'array' },
  then: { type: 'array', items: { enum: values }, minItems: 1 },
  else: { enum: values },
})
const object = (properties: Record<string, object>, ...required: string[]): object => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})

const terminated = object({
  exitCode: { type: ['integer', 'string'] },
  reason: text,
  message: text,
  startedAt: text,
  finishedAt: text,
  containerID: text,
})
const state = {
  ...object({
    waiting: object({ reason: text, message: text }, 'reason'),
    running: object({ startedAt: text }),
    // A placeholder stands for all of it.
    terminated: { if: { type: 'string' }, then: text, else: terminated },
  }),
  maxProperties: 1,
}

const stage = object(
  {
    name: { type: 'string', minLength: 1 },
    when: {
      ...object({
        state: someOf('waiting', 'running', 'terminated'),
        reason: { if: { type: 'array' }, then: texts, else: text },
        pull: someOf('ok', 'fails', 'invalid'),
        config: oneOf('complete', 'missing'),
        ready: flag,
        probe: oneOf('succeeds', 'fails'),
        liveness: oneOf('succeeds', 'fails'),
        ends: flag,
        restarts: flag,
        crashes: oneOf('first', 'many'),
        image: { type: 'string', minLength: 1 },
      }),
      minProperties: 1,
    },
    delay: object({ seconds, jitter: seconds, from: oneOf('backoff', 'run', 'ready', 'unhealthy') }),
    restart: flag,
    next: { ...object({ state, lastState: state, ready: flag, started: flag }), minProperties: 1 },
    events: {
      type: 'array',
      items: {
        type: 'array',
        items: [oneOf('Normal', 'Warning'), text, text],
        minItems: 3,
        additionalItems: false,
      },
    },
  },
  'name',
  'when',
  'next',
)

const image = object(
  {
    match: patterns,
    command: patterns,
    pull: text,
    idle: oneOf('serve', 'exit'),
    entrypoint: oneOf('shell'),
    seconds,
    exitCode: { type: 'integer', minimum: 0, maximum: 255 },
    logs: texts,
    every: object({ seconds: { type: 'number', exclusiveMinimum: 0 }, line: text }, 'seconds', 'line'),
    page: object({ type: text, text }, 'type', 'text'),
  },
  'match',
)

export const RULES_SCHEMA = {
  ...object({ stages: { type: 'array', items: stage }, images: { type: 'array', items: image } }),
  minProperties: 1,
}
