/** The machinery of controllers, the platform's and those of the embedded API alike. */
export { breathe } from './breathe.js'
export { type Commit, committer } from './commit.js'
export {
  type EventRecorder,
  type EventSubject,
  type EventType,
  EventWriter,
  type EventWriterOptions,
} from './events.js'
export { type Controller, type ControllerStatus, Manager, type ManagerOptions } from './manager.js'
export { controllerOwner, withController, withFinalizer, withoutFinalizers, withoutOwners } from './owners.js'
export { controllerSelection } from './selection.js'
export { fromChanges, fromInformer } from './sources.js'
export { type Stored, storedIn } from './stored.js'
export {
  type Clock,
  type Logger,
  type Reconciler,
  type Request,
  type Result,
  type Source,
  TerminalError,
} from './types.js'
export { WorkQueue, type WorkQueueOptions } from './workqueue.js'
