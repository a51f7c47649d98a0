package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"regulars/infra/topology"
)

func TestMain(m *testing.M) {
	// CDK's own rules take longer than all that is tested here; every
	// `cdk synth` applies them.
	os.Setenv("CDK_VALIDATION", "false")
	os.Setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20") // 14 lines on every run
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// template is a synthesized CloudFormation template.
type template struct {
	Resources map[string]resource
	Outputs   map[string]any

	raw      []byte // the whole, as deployed but for the code
	findings []byte // of AwsSolutions
}

type resource struct {
	Type                string
	Properties          map[string]any
	DependsOn           []string
	DeletionPolicy      string
	UpdateReplacePolicy string
}

// synthesized is the template of a stage. It is made once: starting CDK is
// what takes time here.
func synthesized(t *testing.T, stage string) template {
	t.Helper()
	tmpl, err := templates[stage]()
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

var templates = map[string]func() (template, error){
	topology.Dev: sync.OnceValues(func() (template, error) { return synthesize(config{Stage: topology.Dev}) }),
	topology.Prod: sync.OnceValues(func() (template, error) {
		return synthesize(config{Stage: topology.Prod, AlarmEmail: "ops@example.com"})
	}),
}

func synthesize(cfg config) (template, error) {
	dir, err := os.MkdirTemp("", "regulars-infra-")
	if err != nil {
		return template{}, err
	}
	defer os.RemoveAll(dir)
	cfg.Dist = filepath.Join(dir, "dist")
	for _, f := range topology.Functions {
		if err := os.MkdirAll(filepath.Join(cfg.Dist, f.Name), 0o755); err != nil {
			return template{}, err
		}
		if err := os.WriteFile(filepath.Join(cfg.Dist, f.Name, "bootstrap"), []byte(f.Name), 0o755); err != nil {
			return template{}, err
		}
	}

	// The feature flags decide about the template, so they have to be those
	// that the command line passes.
	var cdk struct{ Context map[string]any }
	data, err := os.ReadFile("../cdk.json")
	if err != nil {
		return template{}, err
	}
	if err := json.Unmarshal(data, &cdk); err != nil {
		return template{}, fmt.Errorf("cdk.json: %w", err)
	}
	app := awscdk.NewApp(&awscdk.AppProps{
		Context:            &cdk.Context,
		Outdir:             jsii.String(filepath.Join(dir, "out")),
		AnalyticsReporting: jsii.Bool(false),
	})
	stack, err := newStack(app, cfg)
	if err != nil {
		return template{}, err
	}
	out := *app.Synth(nil).Directory()

	data, err = os.ReadFile(filepath.Join(out, *stack.TemplateFile()))
	if err != nil {
		return template{}, err
	}
	tmpl := template{raw: normal(data)}
	if tmpl.findings, err = os.ReadFile(filepath.Join(out, "AwsSolutions-"+*stack.StackName()+"-NagReport.json")); err != nil {
		return template{}, err
	}
	return tmpl, json.Unmarshal(tmpl.raw, &tmpl)
}

var (
	asset   = regexp.MustCompile(`[0-9a-f]{64}\.zip`)
	version = regexp.MustCompile(`(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}`)
)

// normal leaves out of a template what depends on the built functions.
func normal(data []byte) []byte {
	data = asset.ReplaceAll(data, []byte("asset.zip"))
	return append(version.ReplaceAll(data, []byte("$1")), '\n')
}

// of is every resource of a type, by logical id.
func (t template) of(kind string) map[string]resource {
	found := map[string]resource{}
	for id, r := range t.Resources {
		if r.Type == kind {
			found[id] = r
		}
	}
	return found
}

// one is the only resource of a type.
func (t template) one(tb testing.TB, kind string) resource {
	tb.Helper()
	found := t.of(kind)
	for _, r := range found {
		if len(found) == 1 {
			return r
		}
	}
	tb.Fatalf("%d resources %s, want one", len(found), kind)
	return resource{}
}

// named is the resource with an id, the hash that CDK appends left out.
func (t template) named(id string) resource {
	for full, r := range t.Resources {
		if plain(full) == id {
			return r
		}
	}
	return resource{}
}

// text writes a value down as a reader would: a reference as the id that it
// leads to, without the hash that CDK appends.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		if id, ok := v["Ref"].(string); ok {
			return plain(id)
		}
		if get, ok := v["Fn::GetAtt"].([]any); ok {
			return plain(get[0].(string)) + "." + get[1].(string)
		}
		if join, ok := v["Fn::Join"].([]any); ok {
			var parts []string
			for _, p := range join[1].([]any) {
				parts = append(parts, text(p))
			}
			return strings.Join(parts, join[0].(string))
		}
		if sel, ok := v["Fn::Select"].([]any); ok {
			return text(sel[1])
		}
		if split, ok := v["Fn::Split"].([]any); ok {
			return text(split[1])
		}
	}
	return fmt.Sprintf("%v", v)
}

var hash = regexp.MustCompile(`[0-9A-F]{8}$`)

func plain(id string) string { return hash.ReplaceAllString(id, "") }

// list is a value that CloudFormation lets be one thing or many.
func list(v any) []any {
	if many, ok := v.([]any); ok {
		return many
	}
	return []any{v}
}
