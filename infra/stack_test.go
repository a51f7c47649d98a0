package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/infra/topology"
	schema "regulars/shared/table"
)

var update = flag.Bool("update", false, "write testdata anew")

// Whoever reviews a change sees here what it does to the deployment.
func TestTemplateIsTheOneInTestdata(t *testing.T) {
	const file = "testdata/regulars-dev.template.json"
	got := synthesized(t, topology.Dev).raw
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the template changed; if it should, run `go test ./infra -update` (-testdata +now):\n%s",
			cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")))
	}
}

func TestRoutesAreThoseOfTheTopology(t *testing.T) {
	tmpl := synthesized(t, topology.Dev)
	want := map[string]string{"$default": title(topology.Default) + "Live"}
	for _, r := range topology.Routes {
		want[r.Method+" "+r.Path] = title(r.Function) + "Live"
	}

	integrations := map[string]string{}
	for id, r := range tmpl.of("AWS::ApiGatewayV2::Integration") {
		integrations["integrations/"+plain(id)] = text(r.Properties["IntegrationUri"])
		if v := r.Properties["PayloadFormatVersion"]; v != "2.0" {
			t.Errorf("%s speaks payload format %v; the functions understand 2.0", id, v)
		}
	}
	got := map[string]string{}
	for _, r := range tmpl.of("AWS::ApiGatewayV2::Route") {
		got[r.Properties["RouteKey"].(string)] = integrations[text(r.Properties["Target"])]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-topology +template):\n%s", diff)
	}
	answering := slices.Compact(slices.Sorted(maps.Values(want)))
	if len(integrations) != len(answering) {
		t.Errorf("%d integrations for the %d functions that answer", len(integrations), len(answering))
	}

	// A route without the permission answers 500, and nothing else notices.
	may := map[string]bool{}
	for _, r := range tmpl.of("AWS::Lambda::Permission") {
		_, path, _ := strings.Cut(text(r.Properties["SourceArn"]), "/*/*")
		may[text(r.Properties["FunctionName"])+" "+path] = true
	}
	for key, function := range want {
		_, path, _ := strings.Cut(key, " ")
		if !may[function+" "+path] {
			t.Errorf("%s: the API may not call %s", key, function)
		}
	}
}

func TestFunctionsAreThoseOfTheTopology(t *testing.T) {
	tmpl := synthesized(t, topology.Dev)
	functions := tmpl.of("AWS::Lambda::Function")
	got, want := map[string]any{}, map[string]any{}
	for id, r := range functions {
		p := r.Properties
		logging := p["LoggingConfig"].(map[string]any)
		got[plain(id)] = map[string]any{
			"does": p["Description"], "seconds": p["Timeout"], "memory": p["MemorySize"], "reserved": p["ReservedConcurrentExecutions"],
			"runtime": p["Runtime"], "on": text(p["Architectures"]), "tracing": p["TracingConfig"],
			"logs": text(logging["LogGroup"]), "format": logging["LogFormat"], "env": environment(p),
		}
	}
	for _, f := range topology.Functions {
		env := map[string]string{"STAGE": "dev", "GOMAXPROCS": "1"}
		if len(f.Table) > 0 {
			env["TABLE"] = "Table"
		}
		if f.Secrets {
			env["SECRET_ARN"] = "Secret"
		}
		if f.Bus {
			env["BUS"] = "Bus"
		}
		if len(f.Uploads) > 0 {
			env["UPLOADS"] = "Uploads"
		}
		if len(f.Files) > 0 {
			env["BUCKET"] = "SimulationFiles"
		}
		if f.Starts != "" {
			env["MACHINE"] = machineARN + f.Starts
		}
		if f.Memory >= wholeCore {
			delete(env, "GOMAXPROCS")
		}
		var reserved any
		if f.Reserved > 0 {
			reserved = float64(f.Reserved)
		}
		want[title(f.Name)] = map[string]any{
			"does": f.Does, "seconds": f.Timeout.Seconds(), "memory": float64(f.Memory), "reserved": reserved,
			"runtime": "provided.al2023", "on": "[arm64]", "tracing": map[string]any{"Mode": "Active"},
			"logs": title(f.Name) + "Logs", "format": "JSON", "env": env,
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("functions (-topology +template):\n%s", diff)
	}
	if n := len(tmpl.of("AWS::Lambda::Alias")); n != len(functions) {
		t.Errorf("%d functions have %d aliases", len(functions), n)
	}
}

func environment(properties map[string]any) map[string]string {
	env := map[string]string{}
	for k, v := range properties["Environment"].(map[string]any)["Variables"].(map[string]any) {
		env[k] = text(v)
	}
	return env
}

func TestSchedulesAreThoseOfTheTopology(t *testing.T) {
	tmpl := synthesized(t, topology.Dev)
	got, want := map[string]string{}, map[string]string{}
	for _, r := range tmpl.of("AWS::Scheduler::Schedule") {
		target := r.Properties["Target"].(map[string]any)
		retry := target["RetryPolicy"].(map[string]any)
		got[target["Input"].(string)] = fmt.Sprintf("%s calls %s, %v retries in %v s, then %s", r.Properties["ScheduleExpression"],
			text(target["Arn"]), retry["MaximumRetryAttempts"], retry["MaximumEventAgeInSeconds"], text(target["DeadLetterConfig"].(map[string]any)["Arn"]))
	}
	for _, s := range topology.Schedules {
		every := fmt.Sprintf("rate(%d minutes)", int(s.Every.Minutes()))
		switch {
		case s.Every == time.Minute:
			every = "rate(1 minute)"
		case s.Every == 24*time.Hour:
			every = "rate(1 day)"
		case s.Every%time.Hour == 0:
			every = strings.Replace(fmt.Sprintf("rate(%d hours)", int(s.Every.Hours())), "(1 hours)", "(1 hour)", 1)
		}
		called := title(s.Function) + "Live"
		if i := slices.IndexFunc(topology.Machines, func(m topology.Machine) bool { return m.Steps == s.Function }); i >= 0 {
			called = title(topology.Machines[i].Name) + "Machine"
		}
		want[`{"schedule":"`+s.Name+`"}`] = fmt.Sprintf("%s calls %s, %d retries in %v s, then FailedSchedules.Arn",
			every, called, topology.ScheduleRetries, s.Every.Seconds())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("schedules (-topology +template):\n%s", diff)
	}
}

func TestChangesAreReadAsTheTopologySays(t *testing.T) {
	got, want := map[string]map[string]string{}, map[string]map[string]string{}
	for _, r := range synthesized(t, topology.Dev).of("AWS::Lambda::EventSourceMapping") {
		reading := map[string]string{
			"OnFailure": text(r.Properties["DestinationConfig"].(map[string]any)["OnFailure"].(map[string]any)["Destination"]),
		}
		for _, k := range []string{
			"BatchSize", "ParallelizationFactor", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds", "BisectBatchOnFunctionError",
			"FunctionResponseTypes", "StartingPosition", "EventSourceArn",
		} {
			reading[k] = text(r.Properties[k])
		}
		for i, filter := range r.Properties["FilterCriteria"].(map[string]any)["Filters"].([]any) {
			reading[fmt.Sprint("Filter", i)] = filter.(map[string]any)["Pattern"].(string)
		}
		got[text(r.Properties["FunctionName"])] = reading
	}
	for _, f := range topology.Functions {
		if len(f.Stream) == 0 {
			continue
		}
		want[title(f.Name)+"Live:live"] = map[string]string{
			"BatchSize": fmt.Sprint(topology.Changes.Batch), "ParallelizationFactor": fmt.Sprint(topology.Changes.Parallel),
			"MaximumRetryAttempts": fmt.Sprint(topology.Changes.Retries), "MaximumRecordAgeInSeconds": fmt.Sprint(topology.Changes.MaxAge.Seconds()),
			"BisectBatchOnFunctionError": "true", "FunctionResponseTypes": "[ReportBatchItemFailures]", "StartingPosition": "TRIM_HORIZON",
			"EventSourceArn": "Table.StreamArn", "OnFailure": "FailedChanges.Arn",
			"Filter0": `{"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"` + strings.Join(f.Stream, `"},{"prefix":"`) + `"}]}}}}`,
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reading (-topology +template):\n%s", diff)
	}
}

// The stage lets in what the topology says, of each route and in all.
func TestRoutesAreThrottledAsTheTopologySays(t *testing.T) {
	tmpl := synthesized(t, topology.Dev)
	stage := tmpl.one(t, "AWS::ApiGatewayV2::Stage")
	limit := func(rate int) any {
		return map[string]any{"ThrottlingRateLimit": float64(rate), "ThrottlingBurstLimit": float64(2 * rate)}
	}
	want, after := map[string]any{}, map[string]bool{}
	for _, r := range topology.Routes {
		if r.Throttle > 0 {
			want[r.Method+" "+r.Path], after[r.Method+" "+r.Path] = limit(r.Throttle), true
		}
	}
	if diff := cmp.Diff(want, stage.Properties["RouteSettings"]); diff != "" {
		t.Errorf("routes (-topology +template):\n%s", diff)
	}
	if diff := cmp.Diff(limit(topology.RatePerSecond), stage.Properties["DefaultRouteSettings"]); diff != "" {
		t.Errorf("all others (-topology +template):\n%s", diff)
	}
	// Before its routes are there, the stage cannot be made.
	got := map[string]bool{}
	for _, id := range stage.DependsOn {
		got[tmpl.Resources[id].Properties["RouteKey"].(string)] = true
	}
	if diff := cmp.Diff(after, got); diff != "" {
		t.Errorf("made after (-topology +template):\n%s", diff)
	}
}

// A log line tells the route and not what was asked: paths and query strings
// name members.
func TestAccessLogNamesNobody(t *testing.T) {
	settings := synthesized(t, topology.Prod).one(t, "AWS::ApiGatewayV2::Stage").Properties["AccessLogSettings"].(map[string]any)
	format := settings["Format"].(string)
	var line map[string]string
	if err := json.Unmarshal([]byte(format), &line); err != nil {
		t.Fatalf("a line is not JSON: %v", err)
	}
	for _, secret := range []string{"$context.path", "queryString", "querystring", "header", "userAgent", "authorizer"} {
		if strings.Contains(format, secret) {
			t.Errorf("the access log has %s", secret)
		}
	}
	if !strings.Contains(format, "$context.requestId") {
		t.Error("the access log has no request id")
	}
}

func TestEverythingThatFailsIsNoticed(t *testing.T) {
	tmpl := synthesized(t, topology.Prod)
	got := map[string]bool{}
	for id, r := range tmpl.of("AWS::CloudWatch::Alarm") {
		got[strings.TrimPrefix(r.Properties["AlarmName"].(string), "regulars-prod-")] = true
		if text(r.Properties["AlarmActions"]) == "<nil>" {
			t.Errorf("%s tells nobody", id)
		}
	}
	want := map[string]bool{"api-5xx": true, "table-throttles": true, "table-errors": true, "failed-changes": true, "failed-schedules": true}
	for _, m := range topology.Machines {
		want[m.Name+"-failed"], want[m.Name+"-timed-out"] = true, true
	}
	want["segments-missed"] = true
	for _, f := range topology.Functions {
		want[f.Name+"-errors"], want[f.Name+"-throttles"], want[f.Name+"-slow"] = true, true, true
		if len(f.Stream) > 0 {
			want[f.Name+"-behind"] = true
		}
		if scheduled(f.Name) && !steps(f) {
			want[f.Name+"-silent"] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alarms (-want +template):\n%s", diff)
	}

	// A machine that runs daily is missed after two hours more, and its alarm
	// is one when there is no figure at all.
	missed := tmpl.named("Alarmsegmentsmissed").Properties
	if missed["Period"] != 3600.0 || missed["EvaluationPeriods"] != 26.0 || missed["Threshold"] != 0.0 ||
		missed["ComparisonOperator"] != "LessThanOrEqualToThreshold" || missed["TreatMissingData"] != "breaching" || missed["MetricName"] != "ExecutionsSucceeded" {
		t.Errorf("runs that are missed: %v", missed)
	}

	// An alarm to an encrypted topic is lost unless CloudWatch may use the key.
	key, err := json.Marshal(tmpl.one(t, "AWS::KMS::Key").Properties["KeyPolicy"])
	if err != nil || !bytes.Contains(key, []byte("cloudwatch.amazonaws.com")) {
		t.Errorf("CloudWatch may not use the key of the topic: %s %v", key, err)
	}
	for id, r := range tmpl.of("AWS::SQS::Queue") {
		if r.Properties["MessageRetentionPeriod"] != float64(14*24*60*60) || r.Properties["SqsManagedSseEnabled"] != true {
			t.Errorf("%s does not keep failures for 14 days, encrypted: %v", id, r.Properties)
		}
	}
	// A run that the scheduler handed over and that then fails is retried by
	// Lambda, under the name by which it was called.
	async, retried := map[string]any{}, map[string]any{}
	for _, f := range topology.Functions {
		if scheduled(f.Name) && !steps(f) {
			retried[title(f.Name)+"Live"] = float64(f.RetryAsync)
		}
	}
	for _, r := range tmpl.of("AWS::Lambda::EventInvokeConfig") {
		async[text(r.Properties["Qualifier"])] = r.Properties["MaximumRetryAttempts"]
	}
	if diff := cmp.Diff(retried, async); diff != "" {
		t.Errorf("retries of runs (-want +template):\n%s", diff)
	}
}

// Files of history are nobody else's, travel encrypted, and go by themselves.
func TestUploadsAreKeptApart(t *testing.T) {
	tmpl := synthesized(t, topology.Prod)
	p := tmpl.named("Uploads").Properties
	want := map[string]any{
		"PublicAccessBlockConfiguration": map[string]any{"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true},
		"BucketEncryption":               map[string]any{"ServerSideEncryptionConfiguration": []any{map[string]any{"ServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": "AES256"}}}},
		"OwnershipControls":              map[string]any{"Rules": []any{map[string]any{"ObjectOwnership": "BucketOwnerEnforced"}}},
		"LifecycleConfiguration": map[string]any{"Rules": []any{map[string]any{
			"Status": "Enabled", "ExpirationInDays": float64(schema.ImportDays), "AbortIncompleteMultipartUpload": map[string]any{"DaysAfterInitiation": 1.0},
		}}},
		"NotificationConfiguration": map[string]any{"EventBridgeConfiguration": map[string]any{"EventBridgeEnabled": true}},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("bucket (-want +template):\n%s", diff)
	}
	policy, err := json.Marshal(tmpl.named("UploadsPolicy").Properties["PolicyDocument"])
	if err != nil || !bytes.Contains(policy, []byte(`"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"`)) {
		t.Errorf("without TLS: %s %v", policy, err)
	}
	var file string
	for _, r := range tmpl.of("AWS::Events::Rule") {
		for _, to := range list(r.Properties["Targets"]) {
			to := to.(map[string]any)
			if in, ok := to["InputTransformer"].(map[string]any); ok {
				file = text(to["Arn"]) + fmt.Sprint(in["InputPathsMap"], in["InputTemplate"])
			}
		}
	}
	if file != `ImporterLivemap[detail-object-key:$.detail.object.key]{"file":<detail-object-key>}` {
		t.Errorf("a file that has come starts %s", file)
	}
}
