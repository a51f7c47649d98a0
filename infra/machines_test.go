package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/infra/topology"
)

type states struct {
	StartAt        string
	TimeoutSeconds float64
	States         map[string]state
}

type state struct {
	Type, Resource, Next, Default string
	End                           bool
	Retry, Catch                  []struct{ Next string }
	Choices                       []struct{ Next string }
	Parameters                    map[string]any
	MaxConcurrency                float64
	ItemProcessor                 *states
}

// The machines as deployed: every state is reached, whatever can fail is tried
// again and then told, and the numbers are those of the topology.
func TestMachinesRunAsTheTopologySays(t *testing.T) {
	tmpl := synthesized(t, topology.Dev)
	if n := len(tmpl.of("AWS::StepFunctions::StateMachine")); n != len(topology.Machines) {
		t.Errorf("%d machines, want %d", n, len(topology.Machines))
	}
	for _, want := range topology.Machines {
		t.Run(want.Name, func(t *testing.T) {
			deployed := tmpl.named(title(want.Name) + "Machine").Properties
			got := map[string]string{}
			for name, value := range deployed["DefinitionSubstitutions"].(map[string]any) {
				got[name] = text(value)
			}
			about := map[string]string{"Partition": "AWS::Partition", "Step": title(want.Steps) + "Live"}
			if want.Exports {
				about["Table"], about["Bucket"] = "Table.Arn", "SimulationFiles"
			}
			if diff := cmp.Diff(about, got); diff != "" {
				t.Errorf("the machine is about (-want +template):\n%s", diff)
			}
			if deployed["TracingConfiguration"].(map[string]any)["Enabled"] != true || deployed["StateMachineName"] != "regulars-dev-"+want.Name {
				t.Errorf("%v, not traced or called otherwise", deployed["StateMachineName"])
			}
			var m states
			if err := json.Unmarshal([]byte(deployed["DefinitionString"].(string)), &m); err != nil {
				t.Fatal(err)
			}
			if m.TimeoutSeconds != want.Timeout.Seconds() {
				t.Errorf("it takes %v s at most, want %v", m.TimeoutSeconds, want.Timeout)
			}
			if got := m.States["Shards"].Parameters["shards.$"]; got != fmt.Sprintf("States.ArrayRange(0, %d, 1)", want.Shards-1) {
				t.Errorf("its shards are %v, want %d", got, want.Shards)
			}
			m.check(t, want, true)
		})
	}
}

func (m states) check(t *testing.T, want topology.Machine, outer bool) {
	t.Helper()
	reached := map[string]bool{m.StartAt: true}
	for name, s := range m.States {
		next := []string{s.Next, s.Default}
		for _, c := range slices.Concat(s.Catch, s.Choices) {
			next = append(next, c.Next)
		}
		for _, n := range next {
			if n == "" {
				continue
			}
			if _, ok := m.States[n]; !ok {
				t.Errorf("%s leads to %s, which is not there", name, n)
			}
			reached[n] = true
		}
		switch s.Type {
		case "Task":
			// Before there is a run, nobody but the alarm is to be told.
			if len(s.Retry) == 0 || outer && name != "Fail" && name != "Begin" && len(s.Catch) == 0 {
				t.Errorf("%s is not tried again, or its failure not told", name)
			}
			if !strings.Contains(s.Resource, "aws-sdk:dynamodb") && !strings.HasSuffix(s.Resource, ":states:::states:startExecution") && s.Resource != "${Step}" {
				t.Errorf("%s does %s", name, s.Resource)
			}
		case "Map":
			if s.MaxConcurrency != float64(want.Parallel) || len(s.Catch) == 0 && name != "Start" {
				t.Errorf("%s does %v at once, want %d", name, s.MaxConcurrency, want.Parallel)
			}
			s.ItemProcessor.check(t, want, false)
		}
		if s.Next == "" && !s.End && s.Type != "Fail" && s.Type != "Succeed" && s.Type != "Choice" {
			t.Errorf("%s leads nowhere", name)
		}
	}
	for name := range m.States {
		if !reached[name] {
			t.Errorf("nothing leads to %s", name)
		}
	}
}

// The files of machines are copies of the table: nobody else reads them, and
// they go.
func TestFilesOfMachinesArePrivateAndGo(t *testing.T) {
	b := synthesized(t, topology.Prod).named("SimulationFiles").Properties
	for _, block := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		if b["PublicAccessBlockConfiguration"].(map[string]any)[block] != true {
			t.Errorf("%s is not set", block)
		}
	}
	if b["BucketEncryption"] == nil {
		t.Error("it is not encrypted")
	}
	rule := b["LifecycleConfiguration"].(map[string]any)["Rules"].([]any)[0].(map[string]any)
	if rule["Status"] != "Enabled" || rule["ExpirationInDays"] != topology.Kept.Hours()/24 || rule["Prefix"] != nil {
		t.Errorf("files go by %v", rule)
	}
}
