import { describe, expect, it } from 'vitest'
import { type PolicyRule } from './index.js'
import { SharedByRules } from './shared.js'

const viewer = (): PolicyRule[] => [{ apiGroups: ['*'], resources: ['pods'], verbs: ['get'] }]

describe('roles of many namespaces', () => {
  it('share one compiled form when they say the same', () => {
    const shared = new SharedByRules((rules) => ({ rules }))

    expect(shared.of(viewer())).toBe(shared.of(viewer()))
  })

  it('do not when they differ, be it in the order of rules or by where a word ends', () => {
    const shared = new SharedByRules((rules) => ({ rules }))
    const [rule] = viewer()
    const different: PolicyRule[][] = [
      viewer(),
      [{ ...rule, verbs: ['get', 'list'] }],
      [{ ...rule, verbs: ['get,list'] }],
      [{ ...rule, resourceNames: ['one'] }],
      [...viewer(), ...viewer()],
      [],
    ]

    expect(new Set(different.map((rules) => shared.of(rules))).size).toBe(different.length)
  })
})
