/**
 * Expressions that cannot hold the process: every step of an evaluation is counted, and what a step touches is part of
 * its price. An expression that nests loops over long lists ends with `OutOfBudget` instead of never.
 *
 * The library has no limit of its own for this. Its tree is public, and each node evaluates itself through one method;
 * that method is replaced. A test proves that it is.
 */
import { type Environment } from '@marcbachmann/cel-js'

/** In steps; a step is some 50 ns. */
export class Budget {
  left: number
  constructor(steps: number) {
    this.left = steps
  }

  spend(steps: number): void {
    this.left -= steps
    // One error for all: when nothing is left it is thrown often.
    if (this.left < 0) throw OUT_OF_BUDGET
  }
}

export class OutOfBudget extends Error {
  override readonly name = 'OutOfBudget'
}
const OUT_OF_BUDGET = new OutOfBudget('the budget is used up')

/** What a loop that collects failures pays for each: making an error is slow. */
const FAILURE_STEPS = 100
/** Bytes or elements that are touched in the time of a step. */
const TOUCHED_PER_STEP = 16
/** Operators and calls that look at all of their operands. */
const LOOKS_AT_ALL = new Set(['==', '!=', 'in', '+', 'call', 'rcall', '<', '<=', '>', '>='])

type Evaluate = (evaluator: unknown, node: Node, context: unknown) => unknown

interface Node {
  op: string
  args: unknown
  meta: object
  evaluate: Evaluate
}

const isNode = (value: object): value is Node =>
  'op' in value && typeof (value as Partial<Node>).evaluate === 'function'

/** All nodes below a value, those that macros are turned into as well. */
function* nodesOf(root: unknown, seen = new Set<object>()): Generator<Node> {
  if (root === null || typeof root !== 'object' || seen.has(root)) return
  seen.add(root)
  if (isNode(root)) {
    yield root
    yield* nodesOf(root.args, seen)
    yield* nodesOf(root.meta, seen)
    return
  }
  for (const value of Object.values(root)) yield* nodesOf(value, seen)
}

export interface Metered {
  evaluate(variables: Record<string, unknown>, budget: Budget): unknown
  /** Of the result: `bool`, `string`, `dyn`. */
  type: string
  /** Names of the variables it uses. */
  variables: ReadonlySet<string>
}

/** @param calls names of methods to call in place of others. @throws Error that says what is wrong, with the place */
export function metered(
  environment: Environment,
  expression: string,
  calls: Readonly<Record<string, string>>,
): Metered {
  const parsed = environment.parse(expression)
  const root = parsed.ast as unknown as Node
  for (const node of nodesOf(root)) {
    const [name] = Array.isArray(node.args) ? (node.args as unknown[]) : []
    const other = node.op === 'rcall' && typeof name === 'string' ? calls[name] : undefined
    if (other !== undefined) (node.args as unknown[])[0] = other
  }
  const { type, error } = parsed.check()
  if (error) throw error
  const meter: { budget: Budget } = { budget: new Budget(0) }
  const variables = new Set<string>()
  const nodes = [...nodesOf(root)]
  // What is compared or handed over is looked at as a whole.
  const charged = new Set(nodes.filter(({ op }) => LOOKS_AT_ALL.has(op)).flatMap(operandsOf))
  for (const node of nodes) {
    if (node.op === 'id' && typeof node.args === 'string') variables.add(node.args)
    install(node, meter, charged.has(node) || LOOKS_AT_ALL.has(node.op))
  }
  return {
    type: type ?? 'dyn',
    variables,
    evaluate(values, budget) {
      meter.budget = budget
      const result: unknown = parsed(values)
      // A failure for want of budget may be taken for one of an alternative.
      if (budget.left < 0) throw OUT_OF_BUDGET
      return result
    },
  }
}

function install(node: Node, meter: { budget: Budget }, isWeighed: boolean): void {
  // A node puts a quicker method in its own place when it is first used: that one is called, and counted, too.
  let own = node.evaluate
  const counted: Evaluate = (evaluator, self, context) => {
    const { budget } = meter
    budget.spend(1)
    try {
      const result = own.call(node, evaluator, self, context)
      if (isWeighed) budget.spend(weightOf(result) / TOUCHED_PER_STEP)
      return result
    } catch (error) {
      if (error !== OUT_OF_BUDGET) budget.spend(FAILURE_STEPS)
      throw error
    }
  }
  Object.defineProperty(node, 'evaluate', { get: () => counted, set: (quicker: Evaluate) => (own = quicker) })
}

function operandsOf({ args }: Node): Node[] {
  const flat = Array.isArray(args) ? (args as unknown[]).flat(2) : [args]
  return flat.filter((each): each is Node => typeof each === 'object' && each !== null && isNode(each))
}

const weights = new WeakMap<object, number>()

/** Elements and characters in a value; worked out once. */
function weightOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (value === null || typeof value !== 'object') return 0
  const known = weights.get(value)
  if (known !== undefined) return known
  let weight = 1
  for (const each of Object.values(value)) weight += 1 + weightOf(each)
  weights.set(value, weight)
  return weight
}
