// Command infra is the CDK app: it turns package topology into one
// CloudFormation stack. `npx cdk` runs it as cdk.json says. Everything that
// the system consists of is in topology; what is here is how AWS provides it.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	err := run()
	jsii.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, "infra:", err)
		os.Exit(1)
	}
}

func run() error {
	app := awscdk.NewApp(nil)
	cfg, err := configured(func(key string) any { return app.Node().TryGetContext(&key) })
	if err != nil {
		return err
	}
	if _, err := newStack(app, cfg); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}

// configured reads what the person who deploys may choose, with
// `-c regulars:stage=prod` on the command line or in cdk.json.
func configured(context func(key string) any) (config, error) {
	cfg := config{Stage: "dev", Dist: "dist"}
	for key, value := range map[string]*string{"regulars:stage": &cfg.Stage, "regulars:alarmEmail": &cfg.AlarmEmail} {
		switch v := context(key).(type) {
		case nil:
		case string:
			*value = v
		default:
			return config{}, fmt.Errorf("context %s is %v (%T); it has to be text", key, v, v)
		}
	}
	if _, ok := stages[cfg.Stage]; !ok {
		// A typing error must not create a second deployment with the
		// settings of development.
		return config{}, fmt.Errorf("context regulars:stage is %q; there are dev and prod", cfg.Stage)
	}
	if cfg.AlarmEmail != "" && !strings.Contains(cfg.AlarmEmail, "@") {
		return config{}, fmt.Errorf("context regulars:alarmEmail is %q; it has to be an e-mail address", cfg.AlarmEmail)
	}
	return cfg, nil
}
