package main

import (
	"encoding/json"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"regulars/infra/topology"
)

// newAPI makes the HTTP API. It has no authorizer on purpose: a webhook is
// believed for a signature over its raw bytes, which an authorizer never sees,
// and the local host runs the same handlers, so there is one place that
// decides who may do what, and one set of tests for it.
func (d deployment) newAPI(functions map[string]function) awsapigatewayv2.HttpApi {
	api := awsapigatewayv2.NewHttpApi(d.Stack, jsii.String("Api"), &awsapigatewayv2.HttpApiProps{
		ApiName:            d.name(""),
		Description:        jsii.String("Regulars, loyalty points"),
		CreateDefaultStage: jsii.Bool(false), // made below, because this one has settings
	})
	stage := awsapigatewayv2.NewHttpStage(api, jsii.String("Stage"), &awsapigatewayv2.HttpStageProps{
		HttpApi:           api,
		StageName:         jsii.String("$default"), // no stage in the path, as on the local host
		AutoDeploy:        jsii.Bool(true),
		Throttle:          &awsapigatewayv2.ThrottleSettings{RateLimit: jsii.Number(topology.RatePerSecond), BurstLimit: jsii.Number(topology.Burst)},
		AccessLogSettings: d.newAccessLog(),
	})

	integrations := map[string]awsapigatewayv2.HttpRouteIntegration{}
	add := func(key awsapigatewayv2.HttpRouteKey, id, name string) awsapigatewayv2.HttpRoute {
		// One integration per function and not per route; CDK makes it when
		// the first route asks for it.
		if integrations[name] == nil {
			integrations[name] = awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String(title(name)), functions[name].live,
				&awsapigatewayv2integrations.HttpLambdaIntegrationProps{
					PayloadFormatVersion: awsapigatewayv2.PayloadFormatVersion_VERSION_2_0(),
				})
		}
		return awsapigatewayv2.NewHttpRoute(api, &id, &awsapigatewayv2.HttpRouteProps{HttpApi: api, RouteKey: key, Integration: integrations[name]})
	}
	settings := stage.Node().DefaultChild().(awsapigatewayv2.CfnStage) // CDK's own stage knows one limit for all routes
	limits := map[string]any{}
	for _, r := range topology.Routes {
		key := awsapigatewayv2.HttpRouteKey_With(&r.Path, awsapigatewayv2.HttpMethod(r.Method))
		route := add(key, r.Method+" "+r.Path, r.Function)
		if r.Throttle > 0 {
			limits[*key.Key()] = map[string]any{"ThrottlingRateLimit": r.Throttle, "ThrottlingBurstLimit": r.Throttle * topology.Burst / topology.RatePerSecond}
			settings.AddResourceDependency(route.Node().DefaultChild().(awsapigatewayv2.CfnRoute), nil) // only a route that is there can be limited
		}
	}
	settings.SetRouteSettings(limits)
	add(awsapigatewayv2.HttpRouteKey_DEFAULT(), "$default", topology.Default)
	return api
}

// accessLine is what one request leaves behind. The route and not the path,
// and never the query string: both may name a member. No header either: a
// caller could write into the log with it.
var accessLine = map[string]string{
	"time":            "$context.requestTime",
	"request_id":      "$context.requestId",
	"route":           "$context.routeKey",
	"protocol":        "$context.protocol",
	"status":          "$context.status",
	"ip":              "$context.identity.sourceIp",
	"bytes":           "$context.responseLength",
	"ms":              "$context.responseLatency",
	"function_ms":     "$context.integrationLatency",
	"function_status": "$context.integrationStatus",
	"function_error":  "$context.integrationErrorMessage",
}

// accessLog implements awsapigatewayv2.IAccessLogSettings.
type accessLog struct{ group awslogs.ILogGroup }

func (d deployment) newAccessLog() *accessLog {
	return &accessLog{awslogs.NewLogGroup(d.Stack, jsii.String("AccessLogs"), &awslogs.LogGroupProps{
		// Groups under this prefix need no line each in a policy of the
		// account that has room for few.
		LogGroupName:  jsii.String("/aws/vendedlogs/" + *d.name("/access")),
		Retention:     d.AccessLogs,
		RemovalPolicy: d.Removal,
	})}
}

func (a *accessLog) Destination() awsapigatewayv2.IAccessLogDestination {
	return awsapigatewayv2.NewLogGroupLogDestination(a.group)
}

func (a *accessLog) Format() awsapigateway.AccessLogFormat {
	line, err := json.Marshal(accessLine)
	if err != nil {
		panic(err) // a map of strings
	}
	return awsapigateway.AccessLogFormat_Custom(jsii.String(string(line)))
}
