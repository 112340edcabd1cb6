/** Controllers that work on the same objects, under one name: what one does comes after what the other did. */
import { type Controller, type Reconciler, type Result } from '../controller/index.js'

/** The first says the name. */
export function inTurn(first: Controller, ...others: readonly Controller[]): Controller {
  const all = [first, ...others]
  return {
    ...first,
    reconciler: oneAfterTheOther(all.map(({ reconciler }) => reconciler)),
    sources: all.flatMap(({ sources }) => sources),
  }
}

function oneAfterTheOther(reconcilers: readonly Reconciler[]): Reconciler {
  return {
    async reconcile(request, signal): Promise<Result> {
      let soonest: Result
      for (const reconciler of reconcilers) {
        const result = await reconciler.reconcile(request, signal)
        if (result && (!soonest || result.requeueAfter < soonest.requeueAfter)) soonest = result
      }
      return soonest
    },
  }
}
