// Command dynamodblocal runs a command beside one DynamoDB Local, so that the
// packages of a test run share it instead of starting one each:
//
//	go run ./shared/table/tabletest/dynamodblocal -- go test ./...
//
// The command finds the endpoint in REGULARS_DYNAMODB_LOCAL. Without a
// command it runs until its standard input ends.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"regulars/shared/table/tabletest"
)

func main() {
	endpoint, err := tabletest.StartDynamoDBLocal()
	if err != nil {
		fmt.Fprintln(os.Stderr, "dynamodblocal:", err)
		os.Exit(1)
	}
	fmt.Println("DynamoDB Local:", endpoint)
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		io.Copy(io.Discard, os.Stdin)
		return
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "REGULARS_DYNAMODB_LOCAL="+endpoint)
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dynamodblocal:", err)
		os.Exit(1)
	}
}
