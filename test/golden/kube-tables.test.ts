/**
 * The Table form of the built-in kinds against the genuine server's: every column, and the cells of the
 * objects that the seed state holds. Ages depend on the time of recording and are not compared.
 */
import { describe, expect, it } from 'vitest'
import { type KubeObject } from '../../src/apimachinery/meta/types.js'
import { builtinResources } from '../../src/kube/builtin/index.js'
import { type ResourceDefinition } from '../../src/kube/registry/strategy.js'
import { HAVE_GOLDEN, readGolden, WITHOUT_GOLDEN } from './shared.js'

interface RecordedTable {
  path: string
  columnDefinitions: { name: string; type: string; format: string; priority: number }[]
  rows: { cells: unknown[] }[]
}

const title = 'the Table form of built-in kinds'

describe.skipIf(!HAVE_GOLDEN)(HAVE_GOLDEN ? title : `${title} ${WITHOUT_GOLDEN}`, () => {
  const recorded = HAVE_GOLDEN ? readGolden<{ tables: RecordedTable[] }>('kube/tables.json').tables : []
  const tables = recorded.flatMap((table) => {
    const definition = builtinResources().find((each) => pathOf(each) === table.path)
    return definition ? [{ ...table, definition }] : []
  })

  it('has all columns as recorded', () => {
    expect(tables.length).toBeGreaterThan(60)
    for (const { path, columnDefinitions, definition } of tables) {
      const columns = definition.strategy.columns.map(({ description: _, ...column }) => column)
      expect({ path, columns }).toEqual({ path, columns: columnDefinitions })
    }
  })

  it('prints the cells of the seed state as recorded', () => {
    const state = readGolden<Record<string, { items: KubeObject[] }>>('state.json')
    let compared = 0
    const differences: string[] = []
    for (const table of tables) {
      for (const [want, got] of rowPairs(table, state[table.path]?.items ?? [])) {
        table.columnDefinitions.forEach(({ name }, i) => {
          if (TIMES.has(name)) return
          compared++
          if (JSON.stringify(want[i]) === JSON.stringify(got[i])) return
          const [was, is] = [want[i], got[i]].map((cell) => JSON.stringify(cell))
          differences.push(`${table.path} ${String(want[0])} ${name}: want ${was}, got ${is}`)
        })
      }
    }

    expect(compared).toBeGreaterThan(1000)
    expect(differences).toEqual([])
  })
})

const TIMES = new Set(['Age', 'Last Seen', 'First Seen', 'Last Schedule', 'Duration'])

function pathOf({ group, version, resource }: ResourceDefinition): string {
  return `${group === '' ? '/api' : `/apis/${group}`}/${version}/${resource}`
}

/** Recorded and own cells of the objects that both sides have, in the order of each. */
function rowPairs(
  { columnDefinitions, rows, definition }: RecordedTable & { definition: ResourceDefinition },
  items: KubeObject[],
): [unknown[], unknown[]][] {
  const at = columnDefinitions.findIndex(({ name }) => name === 'Name')
  const now = new Date()
  const own = items.map((item) => definition.strategy.cells(structuredClone(item), now))
  const pairs: [unknown[], unknown[]][] = []
  for (const { cells } of rows) {
    const index = own.findIndex((candidate) => candidate[at] === cells[at])
    if (index < 0) continue
    pairs.push([cells, own[index] ?? []])
    own.splice(index, 1)
  }
  return pairs
}
