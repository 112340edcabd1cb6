/** Bodies of writes are read alike in all groups. */
export { demandName, isDryRun, MetadataBody, typedMetadata } from '../../../tenancy/typedmetadata.js'
