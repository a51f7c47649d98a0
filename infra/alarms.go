package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/jsii-runtime-go"

	"regulars/infra/topology"
)

// alarm is one thing that somebody has to look at.
type alarm struct {
	name, says string
	metric     awscloudwatch.IMetric
	limit      float64 // reached is too much
	periods    int     // in a row, of those of the metric: five minutes, unless it says otherwise; 0 is 1
	silence    bool    // the alarm is that too little happens
}

// newAlarms tells people, on one topic, what does not put itself right. A
// refused request is no alarm: the answer told the caller.
func (d deployment) newAlarms(functions map[string]function, s store, api awsapigatewayv2.HttpApi, machines []machine, failed failures) {
	five := awscdk.Duration_Minutes(jsii.Number(5))
	sum := &awscloudwatch.MetricOptions{Statistic: jsii.String("Sum"), Period: five}
	peak := &awscloudwatch.MetricOptions{Statistic: jsii.String("Maximum"), Period: five}
	p99 := &awscloudwatch.MetricOptions{Statistic: jsii.String("p99"), Period: five}

	errors := api.MetricServerError(sum)
	throttled, broken := s.metrics(five)
	changes := failed.changes.MetricApproximateNumberOfMessagesVisible(peak)
	schedules := failed.schedules.MetricApproximateNumberOfMessagesVisible(peak)
	alarms := []alarm{
		{name: "api-5xx", says: "callers get errors that are ours", metric: errors, limit: 5},
		{name: "table-throttles", says: "the table refuses requests: a member or a shard of the index is too hot", metric: throttled, limit: 1, periods: 2},
		{name: "table-errors", says: "DynamoDB itself fails", metric: broken, limit: 5},
		{name: "failed-changes", says: "a reader gave changes up: they were not announced, or referrals do not follow them; the stream keeps them for a day, so act today", metric: changes, limit: 1},
		{name: "failed-schedules", says: "a scheduled run did not start or did not succeed", metric: schedules, limit: 1},
	}
	var runs, lengths []awscloudwatch.IMetric
	for _, m := range machines {
		alarms = append(
			alarms,
			alarm{name: m.Name + "-failed", says: m.Does + ": failed for good; whoever looks at it is told so", metric: m.states.MetricFailed(sum), limit: 1},
			alarm{name: m.Name + "-timed-out", says: m.Does + ": took longer than it may", metric: m.states.MetricTimedOut(sum), limit: 1},
		)
		if scheduled(m.Steps) {
			hourly := &awscloudwatch.MetricOptions{Statistic: jsii.String("Sum"), Period: awscdk.Duration_Hours(jsii.Number(1))}
			alarms = append(alarms, alarm{
				name: m.Name + "-missed", says: m.Does + ": none has ended well for 26 hours", metric: m.states.MetricSucceeded(hourly),
				limit: 0, periods: 26, silence: true,
			})
		}
		runs = append(runs, m.states.MetricStarted(sum), m.states.MetricSucceeded(sum), m.states.MetricFailed(sum), m.states.MetricTimedOut(sum))
		lengths = append(lengths, m.states.MetricTime(peak))
	}
	var invocations, failures, durations, late []awscloudwatch.IMetric
	for _, topo := range topology.Functions {
		f := functions[topo.Name]
		duration := f.lambda.MetricDuration(p99)
		alarms = append(
			alarms,
			alarm{name: f.Name + "-errors", says: f.Name + " crashes or runs out of time", metric: f.lambda.MetricErrors(sum), limit: 1},
			alarm{name: f.Name + "-throttles", says: f.Name + " may not run as often as it is called", metric: f.lambda.MetricThrottles(sum), limit: 1},
			alarm{
				name: f.Name + "-slow", says: f.Name + " comes near its time limit", metric: duration,
				limit: 0.8 * float64(f.Timeout.Milliseconds()), periods: 3,
			},
		)
		if len(f.Stream) > 0 {
			age := f.lambda.Metric(jsii.String("IteratorAge"), peak)
			alarms = append(alarms, alarm{
				name: f.Name + "-behind", says: f.Name + " reads changes that are more than five minutes old",
				metric: age, limit: 5 * 60 * 1000, periods: 2,
			})
			late = append(late, age)
		}
		if scheduled(f.Name) && !steps(f.Function) {
			alarms = append(alarms, alarm{
				// Not its invocations, with which the change stream would hide it.
				name: f.Name + "-silent", says: f.Name + " has not been started for an hour", metric: f.lambda.Metric(jsii.String("AsyncEventsReceived"), sum),
				limit: 0, periods: 12, silence: true,
			})
		}
		invocations = append(invocations, f.lambda.MetricInvocations(sum))
		failures = append(failures, f.lambda.MetricErrors(sum), f.lambda.MetricThrottles(sum))
		durations = append(durations, duration)
	}

	action := awscloudwatchactions.NewSnsAction(d.newTopic())
	for _, a := range alarms {
		a.create(d).AddAlarmAction(action)
	}

	graph := func(title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
		return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{Title: &title, Left: &metrics, Width: jsii.Number(6)})
	}
	awscloudwatch.NewDashboard(d.Stack, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName: d.name(""),
		Widgets: &[]*[]awscloudwatch.IWidget{
			{
				graph("Requests", api.MetricCount(sum), api.MetricClientError(sum), errors),
				graph("Answer times, p99, ms", api.MetricLatency(p99), api.MetricIntegrationLatency(p99)),
				graph("Changes read late by, ms", late...),
			},
			{
				graph("Runs", invocations...),
				graph("Errors and throttles", failures...),
				graph("Run times, p99, ms", durations...),
			},
			{
				graph("Table units", s.table.MetricConsumedReadCapacityUnits(sum), s.table.MetricConsumedWriteCapacityUnits(sum)),
				graph("Table throttles", throttled),
				graph("Table errors", broken),
				graph("Given up", changes, schedules),
			},
			{
				graph("Simulations and segment runs", runs...),
				graph("Their length, ms", lengths...),
			},
		},
	})
}

func (a alarm) create(d deployment) awscloudwatch.Alarm {
	props := &awscloudwatch.AlarmProps{
		AlarmName:          d.name("-" + a.name),
		AlarmDescription:   &a.says,
		Metric:             a.metric,
		Threshold:          &a.limit,
		EvaluationPeriods:  jsii.Number(max(a.periods, 1)),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING, // nothing happened
	}
	if a.silence {
		props.ComparisonOperator = awscloudwatch.ComparisonOperator_LESS_THAN_OR_EQUAL_TO_THRESHOLD
		props.TreatMissingData = awscloudwatch.TreatMissingData_BREACHING
	}
	return awscloudwatch.NewAlarm(d.Stack, jsii.String("Alarm "+a.name), props)
}

// metrics are what the table refuses and what it fails, over the operations
// that the functions use. Transactions are counted under a name of their own.
func (s store) metrics(period awscdk.Duration) (throttled, broken awscloudwatch.IMetric) {
	operations := &[]awsdynamodb.Operation{
		awsdynamodb.Operation_GET_ITEM, awsdynamodb.Operation_QUERY, awsdynamodb.Operation_PUT_ITEM,
		awsdynamodb.Operation_DELETE_ITEM, awsdynamodb.Operation_BATCH_GET_ITEM, awsdynamodb.Operation_TRANSACT_WRITE_ITEMS,
	}
	throttled = s.table.MetricThrottledRequestsForOperations(&awsdynamodb.OperationsMetricOptions{
		Operations: operations, Period: period, Label: jsii.String("throttled"),
	})
	broken = s.table.MetricSystemErrorsForOperations(&awsdynamodb.SystemErrorsForOperationsMetricOptions{
		Operations: operations, Period: period, Label: jsii.String("errors"),
	})
	return throttled, broken
}

// newTopic is where alarms go.
func (d deployment) newTopic() awssns.Topic {
	cloudwatch := awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)

	// CloudWatch cannot use the key that SNS brings along: the alarm would be
	// raised and nobody told. This one lets it, hence a key of our own.
	key := awskms.NewKey(d.Stack, jsii.String("AlarmKey"), &awskms.KeyProps{
		Description:       jsii.String("Encrypts the alarms of " + *d.name("")),
		EnableKeyRotation: jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_DESTROY, // nothing lasting is encrypted with it
	})
	key.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{cloudwatch},
		Actions:    jsii.Strings("kms:Decrypt", "kms:GenerateDataKey*"),
		Resources:  jsii.Strings("*"), // in a key's policy, the key
	}), nil)

	topic := awssns.NewTopic(d.Stack, jsii.String("AlarmTopic"), &awssns.TopicProps{
		DisplayName: jsii.String("Alarms of " + *d.name("")),
		MasterKey:   key,
		EnforceSSL:  jsii.Bool(true),
	})
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{cloudwatch},
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{topic.TopicArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": d.Account()}},
	}))
	if d.AlarmEmail != "" {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(&d.AlarmEmail, nil))
	}
	return topic
}
