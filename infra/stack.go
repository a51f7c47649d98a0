package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"regulars/infra/topology"
)

// config is what may differ between two deployments of one version.
type config struct {
	Stage      string
	AlarmEmail string // "" is nobody
	Dist       string // folder of the built functions: <Dist>/<name>/bootstrap
}

// settings are what a stage means.
type settings struct {
	Removal    awscdk.RemovalPolicy // of what can be made anew: logs and the secret
	Logs       awslogs.RetentionDays
	AccessLogs awslogs.RetentionDays
	Archive    float64 // days that the bus keeps events for a replay
	Protected  bool    // the stack itself refuses to be deleted
}

// The table is not in here: points are owed to people on every stage that
// anyone tries out, so it is protected and retained on both.
//
// Access logs carry addresses of callers, and archived events tell about
// members who may have asked to be forgotten since: they end within a quarter
// and a month. The functions' logs name no person and may stay for a year.
var stages = map[string]settings{
	topology.Dev: {
		Removal:    awscdk.RemovalPolicy_DESTROY,
		Logs:       awslogs.RetentionDays_ONE_WEEK,
		AccessLogs: awslogs.RetentionDays_ONE_WEEK,
		Archive:    7,
	},
	topology.Prod: {
		Removal:    awscdk.RemovalPolicy_RETAIN,
		Logs:       awslogs.RetentionDays_ONE_YEAR,
		AccessLogs: awslogs.RetentionDays_THREE_MONTHS,
		Archive:    30,
		Protected:  true,
	},
}

// deployment is the stack while it is built, and what its parts need of it.
type deployment struct {
	awscdk.Stack
	config
	settings
}

// newStack builds the stack of one stage. It belongs to no account or region:
// the same template can be read, tested and compared without either.
func newStack(app constructs.Construct, cfg config) (awscdk.Stack, error) {
	if err := built(cfg.Dist); err != nil {
		return nil, err
	}
	name := "regulars-" + cfg.Stage
	d := deployment{
		Stack: awscdk.NewStack(app, &name, &awscdk.StackProps{
			Description:           jsii.String("Regulars, loyalty points: " + cfg.Stage),
			TerminationProtection: jsii.Bool(stages[cfg.Stage].Protected),
			Tags:                  &map[string]*string{"app": jsii.String("regulars"), "stage": jsii.String(cfg.Stage)},
		}),
		config:   cfg,
		settings: stages[cfg.Stage],
	}

	store := d.newStore()
	bus := d.newBus()
	failed := failures{changes: d.newQueue("FailedChanges"), schedules: d.newQueue("FailedSchedules")}
	functions := map[string]function{}
	for _, f := range topology.Functions {
		functions[f.Name] = d.newFunction(f, store, bus, failed)
	}
	var machines []machine
	for _, m := range topology.Machines {
		machines = append(machines, d.newMachine(m, functions[m.Steps], store))
	}
	d.newSchedules(functions, machines, failed)
	api := d.newAPI(functions)
	d.newAlarms(functions, store, api, machines, failed)

	d.output("ApiUrl", "where the API answers", api.ApiEndpoint())
	d.output("TableName", "the one table", store.table.TableName())
	d.output("BusName", "the bus on which changes are announced", bus.EventBusName())
	d.output("SecretName", "keys that sign member tokens, secrets of connections", store.secret.SecretName())

	d.checkPractices()
	return d.Stack, nil
}

// built says early and plainly what CDK would say late and at length.
func built(dist string) error {
	for _, f := range topology.Functions {
		file := filepath.Join(dist, f.Name, "bootstrap")
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("function %s is not built (%w): run `make build` first", f.Name, err)
		}
	}
	return nil
}

func (d deployment) output(id, says string, value *string) {
	awscdk.NewCfnOutput(d.Stack, &id, &awscdk.CfnOutputProps{Description: &says, Value: value})
}

// name is for what people look up by name. Everything else gets one from
// CloudFormation, which can then replace it.
func (d deployment) name(suffix string) *string {
	return jsii.String("regulars-" + d.Stage + suffix)
}

// title turns a name of the topology into a logical id.
func title(name string) string {
	return strings.ToUpper(name[:1]) + name[1:]
}
