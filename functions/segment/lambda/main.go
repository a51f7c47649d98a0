// Command lambda is the function segment.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"regulars/functions/gateway"
	segments "regulars/functions/segment"
	"regulars/shared/bucket"
	"regulars/shared/table/dynamo"
	"regulars/shared/web"
)

func main() {
	cfg := dynamo.Config(os.Getenv)
	files := bucket.New(cfg, os.Getenv("BUCKET"))
	machine := sfn.NewFromConfig(cfg)
	gateway.Serve(func(g *web.Gate) web.Routes {
		return (&segments.Handler{Gate: g, Files: files, Start: func(ctx context.Context, program, id string) error {
			return start(ctx, machine, segments.Run{Program: program, ID: id})
		}}).Routes()
	})
}

// start starts the execution that has the run's name. Step Functions lets one
// that runs be started again, and refuses one that has ended.
func start(ctx context.Context, machine *sfn.Client, run segments.Run) error {
	input, err := json.Marshal(run)
	if err != nil {
		return err
	}
	_, err = machine.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: aws.String(os.Getenv("MACHINE")), Name: &run.ID, Input: aws.String(string(input))})
	var ended *types.ExecutionAlreadyExists
	if errors.As(err, &ended) {
		return segments.ErrEnded
	}
	return err
}
