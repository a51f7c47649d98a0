package runtimeapi

// Environment is what a function finds in its environment: what the CDK app
// sets, what Lambda adds, and the endpoints of a DynamoDB and a Cloud in place
// of AWS's.
func Environment(dynamoDB, cloud, accessKey, tableName string) []string {
	return []string{
		"TABLE=" + tableName,
		"SECRET_ARN=arn:aws:secretsmanager:us-east-1:000000000000:secret:local",
		"BUS=local",
		"STAGE=dev",
		"GOMAXPROCS=1",

		"AWS_LAMBDA_FUNCTION_NAME=local",
		"AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=" + accessKey,
		"AWS_SECRET_ACCESS_KEY=local",
		"AWS_EC2_METADATA_DISABLED=true",

		"AWS_ENDPOINT_URL_DYNAMODB=" + dynamoDB,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + cloud,
		"AWS_ENDPOINT_URL_EVENTBRIDGE=" + cloud,
	}
}
