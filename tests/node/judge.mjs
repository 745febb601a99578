// Judges requests against IAM documents with an evaluator that nobody here wrote.
//
// Standard input: {"cases": [{"what", "principal", "action", "resource", "account", "region", "levels": [{"name", "policies":
// [{"name", "policy"}]}]}]}, levels from the root down to the account. A principal is an administrator by its own policies, so that only
// the others decide, unless "own" is the policy it has. "account" is whose the resource is, "attached" is the policy of the resource,
// "context" what else the request says. Standard output: [{"what", "verdict", "by"}], where `verdict` is Allowed, ExplicitlyDenied or
// ImplicitlyDenied, and `by` names the policies and statements that denied. Whatever the evaluator finds wrong
// with a policy or a request is an error and the exit code 1.

import { runSimulation } from '@cloud-copilot/iam-simulate'
import { readFileSync } from 'node:fs'

const everything = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }]
}

// What aws:PrincipalArn says of a session is the role itself.
function principalArn(principal) {
  const session = /^arn:([\w-]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(principal)
  return session ? `arn:${session[1]}:iam::${session[2]}:role/${session[3]}` : principal
}

async function judge({ what, principal, action, resource, account, region, levels, own, attached, context }) {
  const result = await runSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource, accountId: account },
        contextVariables: {
          'aws:PrincipalArn': principalArn(principal),
          'aws:PrincipalAccount': /^arn:[\w-]+:\w+::(\d{12}):/.exec(principal)?.[1] ?? account,
          'aws:ResourceAccount': account,
          'aws:RequestedRegion': region,
          ...context
        }
      },
      identityPolicies: [{ name: 'own', policy: own ?? everything }],
      resourcePolicy: attached,
      serviceControlPolicies: levels.map(({ name, policies }) => ({ orgIdentifier: name, policies })),
      resourceControlPolicies: []
    },
    {}
  )
  if (result.resultType === 'error') {
    return { what, error: result.errors }
  }
  const analyses = result.results ? result.results.map((one) => one.analysis) : [result.result.analysis]
  const by = analyses.flatMap((analysis) =>
    (analysis.scpAnalysis?.ouAnalysis ?? []).flatMap((level) =>
      (level.denyStatements ?? []).map(({ policyId, statement }) => `${policyId ?? ''}/${statement.sid?.() ?? ''}`)
    )
  )
  return { what, verdict: result.overallResult, by }
}

const { cases } = JSON.parse(readFileSync(0, 'utf8'))
const verdicts = []
for (const one of cases) {
  verdicts.push(await judge(one))
}
console.log(JSON.stringify(verdicts))
const errors = verdicts.filter((verdict) => verdict.error)
if (errors.length > 0) {
  console.error(JSON.stringify(errors, null, 2))
  process.exitCode = 1
}
