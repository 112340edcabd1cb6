/** What users get to see of workspaces and projects: in lists, and one by one. */
export { Access } from './access.js'
export { Visibility, type Visible } from './visibility.js'
