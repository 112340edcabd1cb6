import { expect, it } from 'vitest'
import { controllerSelection } from './selection.js'

it.each([
  [[], 'user', true],
  [['*'], 'user', true],
  [['*', '-user'], 'user', false],
  [['*', '-user'], 'group', true],
  [['user'], 'group', false],
  [['user'], 'user', true],
  [['-*', 'user'], 'group', false],
])('of %j, %s runs: %s', (patterns, name, runs) => {
  expect(controllerSelection(patterns)(name)).toBe(runs)
})
