/** Where the requests of workload controllers come from. */
import { type Request, type Source } from '../../controller/index.js'
import { type Selector } from '../../apimachinery/labels/index.js'
import { controllerOf } from '../../apimachinery/meta/accessors.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Collection } from './collections.js'

export function requestOf({ metadata: { namespace = '', name = '' } }: Readonly<KubeObject>): Request {
  return { namespace, name }
}

/** A request for every object and for each that changes. */
export function eachOf<T extends KubeObject>(collection: Collection<T>): Source {
  return (enqueue) =>
    collection.follow(({ object, previous }) => {
      const subject = object ?? previous
      if (subject) enqueue(requestOf(subject))
    })
}

/** Requests that follow from objects of another kind: from what they are, and from what they were. */
export function related<T extends KubeObject>(
  collection: Collection<T>,
  whom: (object: Readonly<T>) => Iterable<Request>,
): Source {
  return (enqueue) =>
    collection.follow(({ object, previous }) => {
      if (object) for (const request of whom(object)) enqueue(request)
      if (previous) for (const request of whom(previous)) enqueue(request)
    })
}

/** The controllers of dependents; of those that have none, the owners that could adopt them. */
export function dependentsOf<T extends KubeObject, O extends KubeObject>(
  dependents: Collection<T>,
  kind: string,
  owners: Collection<O>,
  selectorOf: (owner: Readonly<O>) => Selector,
): Source {
  return related(dependents, function* (object) {
    const { namespace = '', labels } = object.metadata
    const controller = controllerOf(object)
    if (controller) {
      if (controller.kind === kind) yield { namespace, name: controller.name }
      return
    }
    for (const owner of owners.inNamespace(namespace)) {
      if (selectorOf(owner).matches(labels)) yield requestOf(owner)
    }
  })
}
