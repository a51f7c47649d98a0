package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	schema "regulars/shared/table"
)

// store is where everything lasting is.
type store struct {
	table   awsdynamodb.TableV2
	secret  awssecretsmanager.Secret
	uploads awss3.Bucket // files of imports
	files   awss3.Bucket // of state machines
}

func (d deployment) newStore() store {
	text := func(name string) *awsdynamodb.Attribute {
		return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_STRING}
	}
	table := awsdynamodb.NewTableV2(d.Stack, jsii.String("Table"), &awsdynamodb.TablePropsV2{
		PartitionKey: text(schema.AttrPK),
		SortKey:      text(schema.AttrSK),
		// CloudFormation adds one index to a table that is there at a time.
		GlobalSecondaryIndexes: &[]*awsdynamodb.GlobalSecondaryIndexPropsV2{
			{
				IndexName:      jsii.String(schema.DueIndex),
				PartitionKey:   text(schema.AttrDueShard),
				SortKey:        text(schema.AttrDueAt),
				ProjectionType: awsdynamodb.ProjectionType(schema.Projection),
			},
			{
				IndexName:      jsii.String(schema.MembersIndex),
				PartitionKey:   text(schema.AttrGroup),
				ProjectionType: awsdynamodb.ProjectionType(schema.Projection),
			},
		},
		Billing:             awsdynamodb.Billing_OnDemand(nil),
		TimeToLiveAttribute: jsii.String(schema.AttrExpires),
		DynamoStream:        awsdynamodb.StreamViewType(schema.StreamView),
		// Encrypted at rest either way. A key of one's own would add a fee
		// for every use and a way to lose the table, and protect only from
		// people who may read keys but not the table: there are none.
		Encryption: awsdynamodb.TableEncryptionV2_DynamoOwnedKey(),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		DeletionProtection: jsii.Bool(true),
		RemovalPolicy:      awscdk.RemovalPolicy_RETAIN,
	})

	// Operators add the secrets of connections to this document after the
	// first deployment. CloudFormation writes it once; should the template or
	// the rule below change, it would write it again and all those would be
	// lost, so a test pins both. The rule can fill one plain name only:
	// token_key signs member tokens until somebody puts one into token_keys.
	secret := awssecretsmanager.NewSecret(d.Stack, jsii.String("Secret"), &awssecretsmanager.SecretProps{
		SecretName:  jsii.String("regulars/" + d.Stage),
		Description: jsii.String("Regulars: keys that sign member tokens, secrets and tokens of connections"),
		GenerateSecretString: &awssecretsmanager.SecretStringGenerator{
			SecretStringTemplate: jsii.String(`{"token_keys":[],"connections":{},"api_tokens":{}}`),
			GenerateStringKey:    jsii.String("token_key"),
			PasswordLength:       jsii.Number(64),
			ExcludePunctuation:   jsii.Bool(true), // it ends up inside JSON
		},
		RemovalPolicy: d.Removal,
	})
	return store{table, secret, d.newUploads(), d.newFiles()}
}

// newUploads is where files of history wait to be taken in. They hold personal
// data, so they go by themselves.
func (d deployment) newUploads() awss3.Bucket {
	bucket := awss3.NewBucket(d.Stack, jsii.String("Uploads"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Expiration:                          awscdk.Duration_Days(jsii.Number(schema.ImportDays)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}},
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN, // a bucket that holds something cannot be deleted anyway
	})
	// CDK's own switch for this adds a function that may change every bucket.
	bucket.Node().DefaultChild().(awss3.CfnBucket).SetNotificationConfiguration(&awss3.CfnBucket_NotificationConfigurationProperty{
		EventBridgeConfiguration: &awss3.CfnBucket_EventBridgeConfigurationProperty{EventBridgeEnabled: jsii.Bool(true)},
	})
	return bucket
}

// readFiles starts a function when a file has come. One whose start is lost is
// found by the schedule.
func (d deployment) readFiles(live awslambda.Alias, s store) {
	awsevents.NewRule(d.Stack, jsii.String("FileHasCome"), &awsevents.RuleProps{
		Description: jsii.String("A file of history has come"),
		EventPattern: &awsevents.EventPattern{
			Source:     jsii.Strings("aws.s3"),
			DetailType: jsii.Strings("Object Created"),
			Detail:     &map[string]any{"bucket": map[string]any{"name": []*string{s.uploads.BucketName()}}},
		},
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(live, &awseventstargets.LambdaFunctionProps{
			Event: awsevents.RuleTargetInput_FromObject(map[string]*string{"file": awsevents.EventField_FromPath(jsii.String("$.detail.object.key"))}),
		})},
	})
}

// newBus is where the merchant's own systems listen. It keeps what was
// announced, so that a listener that is new or was broken can have it again.
func (d deployment) newBus() awsevents.EventBus {
	bus := awsevents.NewEventBus(d.Stack, jsii.String("Bus"), &awsevents.EventBusProps{
		EventBusName: d.name(""),
		Description:  jsii.String("What happened to members and their points"),
	})
	bus.Archive(jsii.String("Archive"), &awsevents.BaseArchiveProps{
		Description: jsii.String("Everything announced lately, for a replay"),
		// Every event has an account, so this is every event of this one.
		EventPattern: &awsevents.EventPattern{Account: &[]*string{d.Account()}},
		Retention:    awscdk.Duration_Days(jsii.Number(d.Archive)),
	})
	return bus
}

// failures are queues of work that failed for good, for somebody to look at.
type failures struct {
	changes   awssqs.Queue // positions in the change stream that a reader could not handle
	schedules awssqs.Queue // runs that never started or did not succeed
}

func (d deployment) newQueue(id string) awssqs.Queue {
	return awssqs.NewQueue(d.Stack, &id, &awssqs.QueueProps{
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      jsii.Bool(true),
		RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)), // the longest that SQS knows
	})
}
