/** All declared routes as one list, for the documentation and for tests that must not miss one. */
import { type ApiGroup, type Route } from './route.js'

export interface DeclaredRoute {
  group: ApiGroup
  route: Route
  /** With parameters in braces. */
  path: string
  /** A path that this route answers: every parameter filled with a name. */
  example: string
}

export function everyRoute(groups: readonly ApiGroup[]): DeclaredRoute[] {
  return groups.flatMap((group) =>
    group.routes.map((route) => {
      const path = group.root + (route.path === '/' ? '' : route.path)
      return { group, route, path, example: path.replace(/\{[^}]*\}/g, 'x1') }
    }),
  )
}
