/** Makes the cells of one object, in column order. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'

export type Row = (object: Readonly<KubeObject>, now: Date) => unknown[]
