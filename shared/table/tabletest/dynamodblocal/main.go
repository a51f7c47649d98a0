// Command dynamodblocal runs a command beside one DynamoDB Local, so that the
// packages of a test run share it instead of starting one each:
//
//	go run ./shared/table/tabletest/dynamodblocal -- go test ./...
//
// The command finds the endpoint in REGULARS_DYNAMODB_LOCAL. Without a
// command it runs until its standard input ends. Without Java the command runs
// all the same, and is told of loudly: its tests skip the second engine.
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
	switch {
	case errors.Is(err, tabletest.ErrNoJava):
		warn(err)
		defer warn(err)
	case err != nil:
		fmt.Fprintln(os.Stderr, "dynamodblocal:", err)
		os.Exit(1)
	default:
		fmt.Println("DynamoDB Local:", endpoint)
	}
	if code := run(endpoint); code != 0 {
		os.Exit(code)
	}
}

func warn(err error) {
	fmt.Fprintf(os.Stderr, "\n*** SKIPPED: nothing is tested on DynamoDB: %v ***\n\n", err)
}

// run runs the command of the arguments and answers its exit code.
func run(endpoint string) int {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		io.Copy(io.Discard, os.Stdin)
		return 0
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if endpoint != "" {
		cmd.Env = append(os.Environ(), "REGULARS_DYNAMODB_LOCAL="+endpoint)
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dynamodblocal:", err)
		return 1
	}
	return 0
}
