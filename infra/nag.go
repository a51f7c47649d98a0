package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"regulars/infra/topology"
)

// accepted are the findings of AwsSolutions that are as they should be. One
// that is no longer found fails a test, so the list stays true.
var accepted = []struct {
	rule, finding string // finding "" is all of the rule
	at            []string
	because       string
}{
	{
		rule: "AwsSolutions-APIG4",
		at:   []string{"Api"},
		because: "The handlers authenticate: API keys, member tokens, and webhooks by a signature over the raw body, " +
			"which an authorizer does not get to see. The local host runs the same code.",
	},
	{
		rule: "AwsSolutions-IAM5", finding: "Resource::*",
		at:      roles(),
		because: "X-Ray's actions know no resources. A test allows nothing else on *.",
	},
	{
		rule: "AwsSolutions-IAM5", finding: "Resource::<Uploads4F6EB0FD.Arn>/*",
		at:      []string{"ImportsRole", "ImporterRole"},
		because: "Each import has an object of its own in the bucket; the function signs an address for that one.",
	},
	{
		rule: "AwsSolutions-S1",
		at:   []string{"Uploads"},
		because: "Who asked for an import and when its file came stand in the access log of the API and in the table; " +
			"a log of a bucket needs another bucket, and would name members' files for longer than they live.",
	},
	{
		rule: "AwsSolutions-IAM5",
		at:   []string{"SimulationsRole", "ReplayRole", "SimulationsMachineRole", "SegmentRole", "RefreshRole", "SegmentsMachineRole"},
		because: "Files of runs, exports of the table and parts of a distributed map have names that nobody knows before: " +
			"each is allowed below its own prefix. A test lists them all.",
	},
	{
		rule: "AwsSolutions-S1",
		at:   []string{"SimulationFiles"},
		because: "Its files are copies of the table that go within days, written and read by two roles only; " +
			"a log of accesses would outlive them.",
	},
	{
		rule: "AwsSolutions-SF1",
		at:   []string{"SimulationsMachine", "SegmentsMachine"},
		because: "A standard execution keeps every event of its own for 90 days, and the steps log what they did. " +
			"Logging all events would ask for rights on every log group of the account.",
	},
	{
		rule: "AwsSolutions-SMG4",
		at:   []string{"Secret"},
		because: "Secrets of storefronts are changed at the storefront, not by a timer. " +
			"Two secrets of a connection are accepted while that happens.",
	},
	{
		rule:    "AwsSolutions-SQS3",
		at:      []string{"FailedChanges", "FailedSchedules"},
		because: "These queues are where others send what failed. Nothing consumes them but people.",
	},
}

func roles() []string {
	var ids []string
	for _, f := range topology.Functions {
		ids = append(ids, title(f.Name)+"Role")
	}
	return ids
}

// checkPractices holds the stack against AWS's own rules of thumb. A finding
// that is not accepted above stops the synthesis.
func (d deployment) checkPractices() {
	for _, a := range accepted {
		suppression := &cdknag.NagPackSuppression{Id: &a.rule, Reason: &a.because}
		if a.finding != "" {
			suppression.AppliesTo = &[]any{a.finding}
		}
		for _, id := range a.at {
			cdknag.NagSuppressions_AddResourceSuppressions(d.Node().FindChild(&id), &[]*cdknag.NagPackSuppression{suppression}, jsii.Bool(true))
		}
	}
	awscdk.Aspects_Of(d.Stack).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{
		ReportFormats: &[]cdknag.NagReportFormat{cdknag.NagReportFormat_JSON},
	}), nil)
}
