package main

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdadestinations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdaeventsources"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsschedulertargets"
	"github.com/aws/jsii-runtime-go"

	"regulars/infra/topology"
	schema "regulars/shared/table"
)

// function is one function of the topology as deployed. Whatever calls it
// calls the alias: it moves to new code at once and as a whole, and can be
// moved back.
type function struct {
	topology.Function
	lambda awslambda.Function
	live   awslambda.Alias
}

func (d deployment) newFunction(f topology.Function, s store, bus awsevents.IEventBus, failed failures) function {
	logs := awslogs.NewLogGroup(d.Stack, jsii.String(title(f.Name)+"Logs"), &awslogs.LogGroupProps{
		Retention:     d.Logs,
		RemovalPolicy: d.Removal,
	})
	env := map[string]*string{"STAGE": jsii.String(d.Stage)}
	if len(f.Table) > 0 {
		env["TABLE"] = s.table.TableName()
	}
	if f.Secrets {
		env["SECRET_ARN"] = s.secret.SecretArn()
	}
	if f.Bus {
		env["BUS"] = bus.EventBusName()
	}
	if len(f.Uploads) > 0 {
		env["UPLOADS"] = s.uploads.BucketName()
	}
	if len(f.Files) > 0 {
		env["BUCKET"] = s.files.BucketName()
	}
	if f.Starts != "" {
		env["MACHINE"] = d.machineArn(f.Starts)
	}
	if f.Memory < wholeCore {
		// On a share of one core two threads take turns, and a request
		// costs half as much again.
		env["GOMAXPROCS"] = jsii.String("1")
	}
	props := &awslambda.FunctionProps{
		Description:   jsii.String(f.Does),
		Runtime:       awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:  awslambda.Architecture_ARM_64(),
		Handler:       jsii.String("bootstrap"),
		Code:          awslambda.Code_FromAsset(jsii.String(filepath.Join(d.Dist, f.Name)), nil),
		MemorySize:    jsii.Number(f.Memory),
		Timeout:       awscdk.Duration_Seconds(jsii.Number(f.Timeout.Seconds())),
		Environment:   &env,
		Role:          d.newRole(f, s, bus, failed, logs),
		LogGroup:      logs,
		LoggingFormat: awslambda.LoggingFormat_JSON,
		Tracing:       awslambda.Tracing_ACTIVE,
		// A version that nothing points at costs nothing but its zip, and
		// is what the alias can be moved back to.
		CurrentVersionOptions: &awslambda.VersionOptions{RemovalPolicy: awscdk.RemovalPolicy_RETAIN},
	}
	if f.Reserved > 0 {
		props.ReservedConcurrentExecutions = jsii.Number(f.Reserved)
	}
	lambda := awslambda.NewFunction(d.Stack, jsii.String(title(f.Name)), props)

	alias := &awslambda.AliasProps{AliasName: jsii.String("live"), Version: lambda.CurrentVersion()}
	if scheduled(f.Name) && !steps(f) {
		// The scheduler only hands the run over. These belong to the alias,
		// because Lambda looks them up by what was called.
		alias.RetryAttempts = jsii.Number(f.RetryAsync)
		alias.OnFailure = awslambdadestinations.NewSqsDestination(failed.schedules)
	}
	live := awslambda.NewAlias(d.Stack, jsii.String(title(f.Name)+"Live"), alias)
	if len(f.Stream) > 0 {
		d.readChanges(f, live, s, failed)
	}
	if f.Arrivals {
		d.readFiles(live, s)
	}
	return function{f, lambda, live}
}

// wholeCore is the memory from which on Lambda gives more than one core.
const wholeCore = 1769

// newRole lists all that a function may do, and closes the list: constructs
// that would add to it, often more than is needed, cannot.
func (d deployment) newRole(f topology.Function, s store, bus awsevents.IEventBus, failed failures, logs awslogs.LogGroup) awsiam.IRole {
	policies := map[string]awsiam.PolicyDocument{}
	state := func(what string, props *awsiam.PolicyStatementProps) {
		policies[what] = awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{
			Statements: &[]awsiam.PolicyStatement{awsiam.NewPolicyStatement(props)},
		})
	}
	may := func(what string, resource *string, actions ...string) {
		if len(actions) > 0 {
			state(what, &awsiam.PolicyStatementProps{Actions: jsii.Strings(actions...), Resources: &[]*string{resource}})
		}
	}
	may("Log", logs.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents")
	may("Trace", jsii.String("*"), "xray:PutTraceSegments", "xray:PutTelemetryRecords") // X-Ray knows no resources
	may("Table", s.table.TableArn(), f.Table...)
	for _, index := range f.Indexes {
		may(title(index)+"Index", jsii.String(*s.table.TableArn()+"/index/"+index), "dynamodb:Query")
	}
	may("Uploads", jsii.String(*s.uploads.BucketArn()+"/*"), f.Uploads...)
	if f.Arrivals {
		may("Arrivals", s.uploads.BucketArn(), "s3:ListBucket") // or a file that is not there looks like one that may not be read
	}
	for _, action := range f.Files {
		state(title(strings.TrimPrefix(action, "s3:")), s.mayFiles(machineOf(f), action))
	}
	if f.Starts != "" {
		may("Start", d.machineArn(f.Starts), "states:StartExecution")
	}
	if f.Secrets {
		may("Secret", s.secret.SecretArn(), "secretsmanager:GetSecretValue")
	}
	if f.Bus {
		may("Bus", bus.EventBusArn(), "events:PutEvents")
	}
	if len(f.Stream) > 0 {
		may("Changes", s.table.TableStreamArn(),
			"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")
		may("FailedChanges", failed.changes.QueueArn(), "sqs:SendMessage")
	}
	if scheduled(f.Name) && !steps(f) {
		may("FailedRuns", failed.schedules.QueueArn(), "sqs:SendMessage")
	}
	role := awsiam.NewRole(d.Stack, jsii.String(title(f.Name)+"Role"), &awsiam.RoleProps{
		Description:    jsii.String("What the function " + f.Name + " may do"),
		AssumedBy:      awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &policies,
	})
	return role.WithoutPolicyUpdates(nil)
}

// readChanges connects a function to the table's change stream. A change that
// it cannot handle holds up the changes of its item only, and not for ever.
func (d deployment) readChanges(f topology.Function, live awslambda.Alias, s store, failed failures) {
	var prefixes []map[string]string
	for _, prefix := range f.Stream {
		prefixes = append(prefixes, map[string]string{"prefix": prefix})
	}
	live.AddEventSourceMapping(jsii.String("Changes"), &awslambda.EventSourceMappingOptions{
		EventSourceArn:   s.table.TableStreamArn(),
		StartingPosition: awslambda.StartingPosition_TRIM_HORIZON, // also what was written while this was deployed
		Filters: &[]*map[string]any{awslambda.FilterCriteria_Filter(&map[string]any{
			"dynamodb": map[string]any{"Keys": map[string]any{schema.AttrSK: map[string]any{"S": prefixes}}},
		})},
		BatchSize:               jsii.Number(topology.Changes.Batch),
		ParallelizationFactor:   jsii.Number(topology.Changes.Parallel),
		ReportBatchItemFailures: jsii.Bool(true),
		BisectBatchOnError:      jsii.Bool(true),
		RetryAttempts:           jsii.Number(topology.Changes.Retries),
		MaxRecordAge:            awscdk.Duration_Minutes(jsii.Number(topology.Changes.MaxAge.Minutes())),
		OnFailure:               awslambdaeventsources.NewSqsDlq(failed.changes),
	})
}

func (d deployment) newSchedules(functions map[string]function, machines []machine, failed failures) {
	for _, s := range topology.Schedules {
		every := awscdk.Duration_Minutes(jsii.Number(s.Every.Minutes()))
		how := &awsschedulertargets.ScheduleTargetBaseProps{
			Input:           awsscheduler.ScheduleTargetInput_FromObject(map[string]string{"schedule": s.Name}),
			RetryAttempts:   jsii.Number(topology.ScheduleRetries),
			MaxEventAge:     every,
			DeadLetterQueue: failed.schedules,
		}
		var target awsscheduler.IScheduleTarget = awsschedulertargets.NewLambdaInvoke(functions[s.Function].live, how)
		for _, m := range machines {
			if m.Steps == s.Function {
				target = awsschedulertargets.NewStepFunctionsStartExecution(m.states, how)
			}
		}
		awsscheduler.NewSchedule(d.Stack, jsii.String(title(s.Name)+"Schedule"), &awsscheduler.ScheduleProps{
			Description: jsii.String(s.Does),
			Schedule:    awsscheduler.ScheduleExpression_Rate(every),
			Target:      target,
		})
	}
}

// scheduled tells whether a schedule starts a function, or the machine whose
// steps it does.
func scheduled(f string) bool {
	return slices.ContainsFunc(topology.Schedules, func(s topology.Schedule) bool { return s.Function == f })
}

// steps tells whether a function does the steps of a machine: that is what is
// started, and retries and tells of failures.
func steps(f topology.Function) bool { return machineOf(f).Steps == f.Name }

// machineOf is the machine that a function starts, or whose steps it does; the
// zero Machine is none.
func machineOf(f topology.Function) topology.Machine {
	for _, m := range topology.Machines {
		if m.Name == f.Starts || m.Steps == f.Name {
			return m
		}
	}
	return topology.Machine{}
}
