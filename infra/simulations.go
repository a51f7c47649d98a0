package main

import (
	_ "embed" // the definition below

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/jsii-runtime-go"

	"regulars/infra/topology"
)

// definition is the state machine in Amazon States Language. A test holds it
// against the topology.
//
//go:embed simulations.asl.json
var definition string

// newFiles is the bucket for the files of simulations. They hold what the
// table holds, and can all be made again.
func (d deployment) newFiles() awss3.Bucket {
	kept := awscdk.Duration_Days(jsii.Number(topology.Simulations.Kept.Hours() / 24))
	return awss3.NewBucket(d.Stack, jsii.String("SimulationFiles"), &awss3.BucketProps{
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		EnforceSSL:        jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_DESTROY,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Expiration:                          kept,
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}},
	})
}

// machine is the state machine of simulations. Its name is its own so that
// what it is called by does not have to be known before it is there.
func (d deployment) machineArn() *string {
	return d.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("states"), Resource: jsii.String("stateMachine"), ResourceName: d.name("-simulations"), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
}

// newMachine makes the state machine.
func (d deployment) newMachine(step function, s store) awsstepfunctions.StateMachine {
	executions := func(of string) *string {
		return d.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("states"), Resource: jsii.String("execution"), ResourceName: jsii.String(*d.name("-simulations") + of), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
		})
	}
	policies := map[string]awsiam.PolicyDocument{}
	may := func(what string, on []*string, actions ...string) {
		policies[what] = awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings(actions...), Resources: &on}),
		}})
	}
	may("Steps", []*string{step.live.FunctionArn()}, "lambda:InvokeFunction")
	may("Export", []*string{s.table.TableArn()}, "dynamodb:ExportTableToPointInTime")
	may("Exports", []*string{jsii.String(*s.table.TableArn() + "/export/*")}, "dynamodb:DescribeExport")
	may("Files", []*string{s.files.BucketArn()}, "s3:ListBucket")
	may("Exported", []*string{jsii.String(*s.files.BucketArn() + "/exports/*")}, "s3:AbortMultipartUpload", "s3:PutObject")
	may("Maps", []*string{d.machineArn()}, "states:StartExecution") // a distributed map's parts are executions of the machine
	may("Parts", []*string{executions("/*"), executions(":*")}, "states:DescribeExecution", "states:StopExecution")
	may("Trace", []*string{jsii.String("*")}, "xray:PutTelemetryRecords", "xray:PutTraceSegments")
	role := awsiam.NewRole(d.Stack, jsii.String("SimulationsMachineRole"), &awsiam.RoleProps{
		Description:    jsii.String("What the state machine of simulations may do"),
		AssumedBy:      awsiam.NewServicePrincipal(jsii.String("states.amazonaws.com"), nil),
		InlinePolicies: &policies,
	})
	return awsstepfunctions.NewStateMachine(d.Stack, jsii.String("SimulationsMachine"), &awsstepfunctions.StateMachineProps{
		StateMachineName: d.name("-simulations"),
		Role:             role.WithoutPolicyUpdates(nil),
		TracingEnabled:   jsii.Bool(true),
		DefinitionBody:   awsstepfunctions.DefinitionBody_FromString(&definition),
		DefinitionSubstitutions: &map[string]*string{
			"Partition": d.Partition(), "Table": s.table.TableArn(), "Bucket": s.files.BucketName(), "Step": step.live.FunctionArn(),
		},
	})
}

// filesPart is on what of the bucket a function's action is: it writes files of
// runs, and reads the exports too.
func (s store) filesPart(action string) *string {
	part := map[string]string{"s3:ListBucket": "", "s3:GetObject": "/*", "s3:PutObject": "/simulations/*"}[action]
	return jsii.String(*s.files.BucketArn() + part)
}
