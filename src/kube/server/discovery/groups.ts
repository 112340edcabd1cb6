/** Groups of this server and of those that are registered with it. */
import { type Foreign } from '../../aggregator/types.js'
import { compareVersions } from '../../registry/catalogue.js'
import { type Catalogue } from '../../registry/strategy.js'

export interface DiscoveredGroup {
  name: string
  versions: readonly string[]
  preferred: string
}

export function groupsOf(catalogue: Catalogue, foreign: Foreign): DiscoveredGroup[] {
  const groups = [...catalogue.groups()]
  for (const { group, version } of foreign.versions()) {
    const at = groups.findIndex(({ name }) => name === group)
    const known = groups[at]
    if (!known) groups.push({ name: group, versions: [version], preferred: version })
    else if (!known.versions.includes(version)) {
      const versions = [...known.versions, version].sort(compareVersions)
      groups[at] = { ...known, versions }
    }
  }
  return groups
}
