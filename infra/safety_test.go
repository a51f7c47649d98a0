package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/infra/topology"
)

// condition is that of a statement, which may be one, as " if key is value".
func condition(v any) string {
	if v == nil {
		return ""
	}
	for key, value := range v.(map[string]any)["StringLike"].(map[string]any) {
		return " if " + key + " is " + text(value)
	}
	return fmt.Sprintf(" if %v", v)
}

// permissions are what a role may do, as "action on resource".
func permissions(t *testing.T, documents ...any) []string {
	t.Helper()
	var all []string
	for _, doc := range documents {
		for _, s := range doc.(map[string]any)["Statement"].([]any) {
			s := s.(map[string]any)
			if s["Effect"] != "Allow" || s["NotAction"] != nil || s["NotResource"] != nil {
				t.Errorf("a statement that is not a plain permission: %v", s)
			}
			for _, action := range list(s["Action"]) {
				for _, on := range list(s["Resource"]) {
					all = append(all, text(action)+" on "+text(on)+condition(s["Condition"]))
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// What the state machine and its executions are called, before they are there.
const (
	machineARN = "arn:AWS::Partition:states:AWS::Region:AWS::AccountId:stateMachine:regulars-dev-"
	executions = "arn:AWS::Partition:states:AWS::Region:AWS::AccountId:execution:regulars-dev-"
)

func TestRolesMayWhatTheTopologySays(t *testing.T) {
	tmpl := synthesized(t, topology.Dev)
	want := map[string][]string{}
	for _, f := range topology.Functions {
		logs := title(f.Name) + "Logs.Arn"
		may := []string{"logs:CreateLogStream on " + logs, "logs:PutLogEvents on " + logs, "xray:PutTelemetryRecords on *", "xray:PutTraceSegments on *"}
		for _, action := range f.Table {
			may = append(may, action+" on Table.Arn")
		}
		for _, index := range f.Indexes {
			may = append(may, "dynamodb:Query on Table.Arn/index/"+index)
		}
		for _, action := range f.Uploads {
			may = append(may, action+" on Uploads.Arn/*")
		}
		if f.Arrivals {
			may = append(may, "s3:ListBucket on Uploads.Arn")
		}
		if f.Secrets {
			may = append(may, "secretsmanager:GetSecretValue on Secret")
		}
		if f.Bus {
			may = append(may, "events:PutEvents on Bus.Arn")
		}
		m := machineOf(f)
		for _, action := range f.Files {
			switch {
			case action == "s3:ListBucket":
				may = append(may, action+" on SimulationFiles.Arn if s3:prefix is "+m.Name+"/*")
				continue
			case action == "s3:GetObject" && m.Exports:
				may = append(may, action+" on SimulationFiles.Arn/exports/*")
			}
			may = append(may, action+" on SimulationFiles.Arn/"+m.Name+"/*")
		}
		if f.Starts != "" {
			may = append(may, "states:StartExecution on "+machineARN+f.Starts)
		}
		if len(f.Stream) > 0 {
			for _, action := range []string{"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"} {
				may = append(may, "dynamodb:"+action+" on Table.StreamArn")
			}
			may = append(may, "sqs:SendMessage on FailedChanges.Arn")
		}
		switch {
		case scheduled(f.Name) && steps(f):
			machine := title(m.Name) + "Machine"
			want["scheduler "+machine] = []string{"sqs:SendMessage on FailedSchedules.Arn", "states:StartExecution on " + machine}
		case scheduled(f.Name):
			may = append(may, "sqs:SendMessage on FailedSchedules.Arn")
			want["scheduler "+title(f.Name)+"Live"] = []string{"lambda:InvokeFunction on " + title(f.Name) + "Live", "sqs:SendMessage on FailedSchedules.Arn"}
		}
		slices.Sort(may)
		want[title(f.Name)+"Role"] = may
	}

	for _, m := range topology.Machines {
		of := executions + m.Name
		may := []string{
			"lambda:InvokeFunction on " + title(m.Steps) + "Live",
			"states:DescribeExecution on " + of + "/*", "states:DescribeExecution on " + of + ":*", "states:StartExecution on " + machineARN + m.Name,
			"states:StopExecution on " + of + "/*", "states:StopExecution on " + of + ":*", "xray:PutTelemetryRecords on *", "xray:PutTraceSegments on *",
		}
		if m.Exports {
			may = append(
				may, "dynamodb:DescribeExport on Table.Arn/export/*", "dynamodb:ExportTableToPointInTime on Table.Arn",
				"s3:AbortMultipartUpload on SimulationFiles.Arn/exports/*", "s3:ListBucket on SimulationFiles.Arn", "s3:PutObject on SimulationFiles.Arn/exports/*",
			)
		}
		slices.Sort(may)
		want[title(m.Name)+"MachineRole"] = may
	}

	got := map[string][]string{}
	for id, r := range tmpl.of("AWS::IAM::Role") {
		if r.Properties["ManagedPolicyArns"] != nil {
			t.Errorf("%s has policies that others manage", id)
		}
		var documents []any
		if r.Properties["Policies"] != nil {
			for _, p := range r.Properties["Policies"].([]any) {
				documents = append(documents, p.(map[string]any)["PolicyDocument"])
			}
			got[plain(id)] = permissions(t, documents...)
		}
	}
	for _, r := range tmpl.of("AWS::IAM::Policy") {
		may := permissions(t, r.Properties["PolicyDocument"])
		for _, permission := range may {
			if _, called, _ := strings.Cut(permission, " on "); !strings.HasPrefix(called, "Failed") {
				got["scheduler "+called] = may
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("permissions (-topology +template):\n%s", diff)
	}

	for role, may := range got {
		for _, permission := range may {
			permission, _, _ := strings.Cut(permission, " if ")
			action, on, _ := strings.Cut(permission, " on ")
			below := slices.ContainsFunc([]string{"Table.Arn/export/", "SimulationFiles.Arn/", "Uploads.Arn/", executions}, func(part string) bool { return strings.HasPrefix(on, part) })
			if strings.Contains(action, "*") || strings.Contains(on, "*") && !below && !(on == "*" && strings.HasPrefix(action, "xray:")) {
				t.Errorf("%s may %s", role, permission)
			}
		}
	}
}

// A change to any of this makes CloudFormation put an empty table in the
// place of the one with everybody's points, or makes it forget the secrets.
// There is no -update for it.
func TestWhatMustNeverBeReplacedIsPinned(t *testing.T) {
	key := func(name, kind string) any { return map[string]any{"AttributeName": name, "KeyType": kind} }
	for _, stage := range []string{topology.Dev, topology.Prod} {
		tmpl := synthesized(t, stage)

		table, ok := tmpl.Resources["TableCD117FA1"]
		if !ok || table.Type != "AWS::DynamoDB::GlobalTable" || len(tmpl.of(table.Type)) != 1 {
			t.Fatalf("%s: the table is no longer TableCD117FA1: it would be replaced", stage)
		}
		p := table.Properties
		if p["TableName"] != nil || p["LocalSecondaryIndexes"] != nil {
			t.Errorf("%s: a name or a local index replaces the table", stage)
		}
		if diff := cmp.Diff([]any{key("pk", "HASH"), key("sk", "RANGE")}, p["KeySchema"]); diff != "" {
			t.Errorf("%s: another key replaces the table:\n%s", stage, diff)
		}
		for _, a := range p["AttributeDefinitions"].([]any) {
			if kind := a.(map[string]any)["AttributeType"]; kind != "S" {
				t.Errorf("%s: a key of type %v replaces the table", stage, kind)
			}
		}
		index := func(name string, keys ...any) any {
			return map[string]any{"IndexName": name, "KeySchema": keys, "Projection": map[string]any{"ProjectionType": "KEYS_ONLY"}}
		}
		indexes := []any{index("due", key("d", "HASH"), key("t", "RANGE")), index("members", key("m", "HASH"))}
		if diff := cmp.Diff(indexes, p["GlobalSecondaryIndexes"]); diff != "" {
			t.Errorf("%s: an index that changes is deleted first, and schedules find nothing due:\n%s", stage, diff)
		}
		if table.DeletionPolicy != "Retain" || table.UpdateReplacePolicy != "Retain" {
			t.Errorf("%s: the table goes when the stack goes", stage)
		}
		replica := p["Replicas"].([]any)[0].(map[string]any)
		if replica["DeletionProtectionEnabled"] != true ||
			replica["PointInTimeRecoverySpecification"].(map[string]any)["PointInTimeRecoveryEnabled"] != true {
			t.Errorf("%s: the table is not protected: %v", stage, replica)
		}
		if text(p["StreamSpecification"].(map[string]any)["StreamViewType"]) != "NEW_AND_OLD_IMAGES" ||
			p["BillingMode"] != "PAY_PER_REQUEST" || text(p["TimeToLiveSpecification"].(map[string]any)["AttributeName"]) != "x" {
			t.Errorf("%s: stream, billing or expiry changed", stage)
		}

		secret := tmpl.Resources["SecretA720EF05"]
		if diff := cmp.Diff(map[string]any{
			"SecretStringTemplate": `{"token_keys":[],"connections":{},"api_tokens":{}}`,
			"GenerateStringKey":    "token_key", "PasswordLength": 64.0, "ExcludePunctuation": true,
		}, secret.Properties["GenerateSecretString"]); diff != "" {
			t.Errorf("%s: the secret would be written anew and all keys in it lost:\n%s", stage, diff)
		}
		if secret.Properties["Name"] != "regulars/"+stage {
			t.Errorf("%s: another name replaces the secret", stage)
		}
	}
}

func TestFindingsAreAcceptedWithAReason(t *testing.T) {
	for _, stage := range []string{topology.Dev, topology.Prod} {
		var report struct {
			Lines []struct{ RuleID, ResourceID, Compliance, ExceptionReason, RuleInfo string }
		}
		if err := json.Unmarshal(synthesized(t, stage).findings, &report); err != nil {
			t.Fatal(err)
		}
		if len(report.Lines) < 50 {
			t.Errorf("%s: %d checks; did they run?", stage, len(report.Lines))
		}
		used := map[string]bool{}
		for _, l := range report.Lines {
			switch l.Compliance {
			case "Compliant", "N/A":
			case "Suppressed":
				rule, _, _ := strings.Cut(l.RuleID, "[")
				used[rule+" "+strings.Split(l.ResourceID, "/")[1]] = true
				if len(l.ExceptionReason) < 20 {
					t.Errorf("%s: no reason for %s at %s", stage, l.RuleID, l.ResourceID)
				}
			default:
				t.Errorf("%s: %s %s at %s: %s", stage, l.Compliance, l.RuleID, l.ResourceID, l.RuleInfo)
			}
		}
		want := map[string]bool{}
		for _, a := range accepted {
			for _, at := range a.at {
				want[a.rule+" "+at] = true
			}
		}
		if diff := cmp.Diff(want, used); diff != "" {
			t.Errorf("%s: findings (-accepted +found):\n%s", stage, diff)
		}
	}
}

func TestStagesDifferAsIntended(t *testing.T) {
	type stage struct {
		Logs, AccessLogs, Archive any
		LogsGo, SecretGoes        string
		Subscriptions             int
	}
	look := func(name string) stage {
		tmpl := synthesized(t, name)
		return stage{
			Logs:          tmpl.named("EarnLogs").Properties["RetentionInDays"],
			AccessLogs:    tmpl.named("AccessLogs").Properties["RetentionInDays"],
			Archive:       tmpl.one(t, "AWS::Events::Archive").Properties["RetentionDays"],
			LogsGo:        tmpl.named("EarnLogs").DeletionPolicy,
			SecretGoes:    tmpl.one(t, "AWS::SecretsManager::Secret").DeletionPolicy,
			Subscriptions: len(tmpl.of("AWS::SNS::Subscription")),
		}
	}
	if diff := cmp.Diff(stage{7.0, 7.0, 7.0, "Delete", "Delete", 0}, look(topology.Dev)); diff != "" {
		t.Errorf("dev:\n%s", diff)
	}
	if diff := cmp.Diff(stage{365.0, 90.0, 30.0, "Retain", "Retain", 1}, look(topology.Prod)); diff != "" {
		t.Errorf("prod:\n%s", diff)
	}
	// Nothing exists on one stage only, but for the subscription: what was
	// tried on dev is what runs on prod.
	resources := func(stage string) map[string]string {
		kinds := map[string]string{}
		for id, r := range synthesized(t, stage).Resources { // an id that CDK makes of a whole path has the stage in it
			kinds[plain(plain(strings.Replace(id, "regulars"+stage, "", 1)))+" "+r.Type] = r.Type
		}
		return kinds
	}
	dev, prod := resources(topology.Dev), resources(topology.Prod)
	for id, kind := range prod {
		if _, ok := dev[id]; !ok && kind != "AWS::SNS::Subscription" {
			t.Errorf("%s is on prod only", id)
		}
	}
	for id := range dev {
		if _, ok := prod[id]; !ok {
			t.Errorf("%s is on dev only", id)
		}
	}
	want := []string{"ApiUrl", "BusName", "SecretName", "TableName"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(synthesized(t, topology.Prod).Outputs))); diff != "" {
		t.Errorf("outputs:\n%s", diff)
	}
}

func TestContextIsCheckedBeforeAnythingIsMade(t *testing.T) {
	for _, tt := range []struct {
		name    string
		context map[string]any
		want    config
		refused string
	}{
		{"nothing said is dev", nil, config{Stage: "dev", Dist: "dist"}, ""},
		{"prod", map[string]any{"regulars:stage": "prod"}, config{Stage: "prod", Dist: "dist"}, ""},
		{"somebody to tell", map[string]any{"regulars:alarmEmail": "a@example.com"}, config{Stage: "dev", Dist: "dist", AlarmEmail: "a@example.com"}, ""},
		{"a stage that is none", map[string]any{"regulars:stage": "production"}, config{}, `context regulars:stage is "production"; there are dev and prod`},
		{"an empty stage", map[string]any{"regulars:stage": ""}, config{}, `context regulars:stage is ""; there are dev and prod`},
		{"a stage that is no text", map[string]any{"regulars:stage": true}, config{}, `context regulars:stage is true (bool); it has to be text`},
		{"an address that is none", map[string]any{"regulars:alarmEmail": "ops"}, config{}, `context regulars:alarmEmail is "ops"; it has to be an e-mail address`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := configured(func(key string) any { return tt.context[key] })
			if got != tt.want || (err == nil) != (tt.refused == "") || err != nil && err.Error() != tt.refused {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestFunctionsThatAreNotBuiltAreNotDeployed(t *testing.T) {
	err := built(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "function "+topology.Functions[0].Name+" is not built") || !strings.Contains(err.Error(), "make build") {
		t.Errorf("%v does not say what to do", err)
	}
}
