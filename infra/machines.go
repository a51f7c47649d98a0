package main

import (
	_ "embed" // the definitions below

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/jsii-runtime-go"

	"regulars/infra/topology"
)

// The state machines in Amazon States Language. Tests hold them against the
// topology.
var (
	//go:embed simulations.asl.json
	simulations string
	//go:embed segments.asl.json
	segments string

	definitions = map[string]string{topology.Simulations.Name: simulations, topology.Segments.Name: segments}
)

// machine is one state machine of the topology as deployed.
type machine struct {
	topology.Machine
	states awsstepfunctions.StateMachine
}

// newFiles is the bucket for the files of state machines. They hold what the
// table holds, and can all be made again.
func (d deployment) newFiles() awss3.Bucket {
	// Its id is older than the second of the machines: another would replace it.
	return awss3.NewBucket(d.Stack, jsii.String("SimulationFiles"), &awss3.BucketProps{
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		EnforceSSL:        jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_DESTROY,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Expiration:                          awscdk.Duration_Days(jsii.Number(topology.Kept.Hours() / 24)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}},
	})
}

// machineArn is of a state machine, by its name. That is its own so that what
// it is called by does not have to be known before it is there.
func (d deployment) machineArn(name string) *string {
	return d.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("states"), Resource: jsii.String("stateMachine"), ResourceName: d.name("-" + name), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
}

// newMachine makes a state machine. Its role has all that it may do.
func (d deployment) newMachine(m topology.Machine, step function, s store) machine {
	executions := func(of string) *string {
		return d.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("states"), Resource: jsii.String("execution"), ResourceName: jsii.String(*d.name("-" + m.Name) + of), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
		})
	}
	policies := map[string]awsiam.PolicyDocument{}
	may := func(what string, on []*string, actions ...string) {
		policies[what] = awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings(actions...), Resources: &on}),
		}})
	}
	may("Steps", []*string{step.live.FunctionArn()}, "lambda:InvokeFunction")
	if m.Exports {
		may("Export", []*string{s.table.TableArn()}, "dynamodb:ExportTableToPointInTime")
		may("Exports", []*string{jsii.String(*s.table.TableArn() + "/export/*")}, "dynamodb:DescribeExport")
		may("Files", []*string{s.files.BucketArn()}, "s3:ListBucket")
		may("Exported", []*string{jsii.String(*s.files.BucketArn() + "/exports/*")}, "s3:AbortMultipartUpload", "s3:PutObject")
	}
	may("Maps", []*string{d.machineArn(m.Name)}, "states:StartExecution") // a distributed map's parts are executions of the machine
	may("Parts", []*string{executions("/*"), executions(":*")}, "states:DescribeExecution", "states:StopExecution")
	may("Trace", []*string{jsii.String("*")}, "xray:PutTelemetryRecords", "xray:PutTraceSegments")
	role := awsiam.NewRole(d.Stack, jsii.String(title(m.Name)+"MachineRole"), &awsiam.RoleProps{
		Description:    jsii.String("What the state machine of " + m.Name + " may do"),
		AssumedBy:      awsiam.NewServicePrincipal(jsii.String("states.amazonaws.com"), nil),
		InlinePolicies: &policies,
	})
	about := map[string]*string{"Partition": d.Partition(), "Step": step.live.FunctionArn()}
	if m.Exports {
		about["Table"], about["Bucket"] = s.table.TableArn(), s.files.BucketName()
	}
	return machine{m, awsstepfunctions.NewStateMachine(d.Stack, jsii.String(title(m.Name)+"Machine"), &awsstepfunctions.StateMachineProps{
		StateMachineName:        d.name("-" + m.Name),
		Role:                    role.WithoutPolicyUpdates(nil),
		TracingEnabled:          jsii.Bool(true),
		DefinitionBody:          awsstepfunctions.DefinitionBody_FromString(jsii.String(definitions[m.Name])),
		DefinitionSubstitutions: &about,
	})}
}

// mayFiles lets a function do something to files of a machine, and to no others.
func (s store) mayFiles(m topology.Machine, action string) *awsiam.PolicyStatementProps {
	on := func(part string) *string { return jsii.String(*s.files.BucketArn() + part) }
	may := &awsiam.PolicyStatementProps{Actions: &[]*string{&action}, Resources: &[]*string{on("/" + m.Name + "/*")}}
	switch {
	case action == "s3:ListBucket":
		may.Resources = &[]*string{on("")}
		may.Conditions = &map[string]any{"StringLike": map[string]any{"s3:prefix": m.Name + "/*"}}
	case action == "s3:GetObject" && m.Exports:
		may.Resources = &[]*string{on("/" + m.Name + "/*"), on("/exports/*")}
	}
	return may
}
