// Package topology says what the system consists of, as plain data: which
// function answers which route, runs on which schedule, reads which stream,
// and what each may do to the table. The CDK app deploys it and the local
// host runs it, so neither can have what the other lacks. It has no code that
// acts.
package topology

import "time"

// Function is one Lambda function.
type Function struct {
	Name    string // also the folder under functions/ and the binary in dist/
	Does    string // one line for people
	Timeout time.Duration
	Memory  int // MB

	Table      []string // DynamoDB actions on the table
	Indexes    []string // of the table, which it may query
	Uploads    []string // S3 actions on the files of imports
	Arrivals   bool     // is started when a file has come
	Stream     []string // reads the table's change stream, as far as sort keys begin with one of these
	Bus        bool     // puts events on the bus
	Secrets    bool     // reads the deployment's secret
	Files      []string // S3 actions on the files of the state machine that it starts, or whose steps it does
	Starts     string   // the state machine that it starts; "" is none
	Calls      []string // hosts outside AWS that it may have to reach, for the reader
	Reserved   int      // reserved concurrency; 0 is none
	RetryAsync int      // retries of asynchronous invocations
}

// Route is one route of the HTTP API.
type Route struct {
	Method, Path string // path parameters as {name}
	Function     string
	Throttle     int // requests a second, where fewer than RatePerSecond are let in; 0 is RatePerSecond
}

// Schedule starts a function with the body {"schedule": "<Name>"}: a function
// that does the steps of a state machine by starting that.
type Schedule struct {
	Name     string
	Function string
	Every    time.Duration
	Does     string
}

// Feed says how the functions with Stream read the table's change stream.
type Feed struct {
	Batch    int // changes handed over at once, at most
	Parallel int // batches of one shard at a time; the order within an item is kept
	Retries  int // of a change that fails, before it is set aside for people to look at
	MaxAge   time.Duration
}

// Machine says how a state machine runs the steps of one kind of work. What it
// does is in its definition, beside the CDK app.
type Machine struct {
	Name     string        // also the folder of its files in the bucket
	Does     string        // one line for people
	Steps    string        // the function that does them
	Exports  bool          // begins with an export of the table into the bucket, below exports/
	Shards   int           // as many as the package of the steps has
	Parallel int           // steps at once, at most
	Timeout  time.Duration // of a whole run
}

// Stages that can be deployed.
const (
	Dev  = "dev"
	Prod = "prod"
)

// What a request may cost before it is refused, per deployment.
const (
	RatePerSecond = 1000
	Burst         = 2000

	linkRate = 100 // of links that anybody may follow: guessing codes is slow, and no flood of clicks keeps the tills from the table
)

// What functions do to the table. A transaction needs the rights of its parts.
const (
	get    = "dynamodb:GetItem"
	query  = "dynamodb:Query"
	put    = "dynamodb:PutItem"
	remove = "dynamodb:DeleteItem"
	batch  = "dynamodb:BatchGetItem"
)

// Indexes, as package table calls them: of what is due, and of members.
const (
	due  = "due"
	walk = "members"
)

// What functions do to files.
const (
	list  = "s3:ListBucket"
	read  = "s3:GetObject"
	write = "s3:PutObject"
)

// Functions of the system, by name.
var Functions = []Function{
	{Name: "earn", Does: "orders, activities and storefront webhooks earn points", Timeout: 29 * time.Second, Memory: 256, Table: []string{get, query, put, remove}, Secrets: true, Calls: []string{"api.bigcommerce.com"}},
	{Name: "redeem", Does: "holds, captures, releases and cancellations; vouchers and payouts", Timeout: 29 * time.Second, Memory: 256, Table: []string{get, put}, Secrets: true},
	{Name: "members", Does: "members, their ledgers, merges and adjustments", Timeout: 29 * time.Second, Memory: 256, Table: []string{get, query, put, remove, batch}, Indexes: []string{walk}, Secrets: true},
	{Name: "program", Does: "the program document, its terms in words, and the API description", Timeout: 29 * time.Second, Memory: 256, Table: []string{get, put}, Secrets: true},
	{Name: "refer", Does: "personal codes and links, referrals, and what people decide about them", Timeout: 29 * time.Second, Memory: 256, Table: []string{get, query, put, remove}, Secrets: true},
	{Name: "qualify", Does: "referrals follow the friends' orders and are rewarded when they are safe; what the ledgers come to is counted", Timeout: 5 * time.Minute, Memory: 256, Table: []string{get, query, put, remove}, Indexes: []string{due}, Stream: []string{"ACCOUNT"}, RetryAsync: 2},
	{Name: "reports", Does: "what the program comes to, as JSON, tables and charts", Timeout: 29 * time.Second, Memory: 1769, Table: []string{get, query, batch}, Indexes: []string{walk}, Secrets: true},
	{Name: "announce", Does: "every change becomes an event on the bus", Timeout: 60 * time.Second, Memory: 256, Stream: Announced, Bus: true},
	{Name: "maintain", Does: "writes down what the clock has decided", Timeout: 14 * time.Minute, Memory: 256, Table: []string{get, query, put}, Indexes: []string{due}, RetryAsync: 2},
	{Name: "imports", Does: "history is asked in, and how far it is", Timeout: 29 * time.Second, Memory: 256, Table: []string{get, query, put}, Secrets: true, Uploads: []string{write}},
	{Name: "importer", Does: "takes in files of history, row by row", Timeout: 14 * time.Minute, Memory: 256, Table: []string{get, query, put, remove}, Indexes: []string{due}, Uploads: []string{read}, Arrivals: true, RetryAsync: 2},
	{Name: "simulations", Does: "what a draft of the program would have given", Timeout: 29 * time.Second, Memory: 256, Table: []string{get, put}, Secrets: true, Files: []string{list}, Starts: Simulations.Name},
	{Name: "segment", Does: "segments: which there are, who is in them, and the runs that decide it", Timeout: 29 * time.Second, Memory: 256, Table: []string{get, query, put, batch}, Indexes: []string{walk}, Secrets: true, Files: []string{list, read}, Starts: Segments.Name},
	{Name: "refresh", Does: "the steps of a segment run", Timeout: 15 * time.Minute, Memory: 2048, Table: []string{get, query, put, batch}, Indexes: []string{walk}, Files: []string{list, read, write}},
	{Name: "replay", Does: "the steps of a simulation", Timeout: 15 * time.Minute, Memory: 2048, Table: []string{get, put}, Files: []string{list, read, write}},
}

// Routes of the API. What no route answers is answered 404 by program.
var Routes = []Route{
	{"POST", "/v1/webhooks/{connection}", "earn", 0},
	{"POST", "/v1/orders", "earn", 0},
	{"POST", "/v1/orders/evaluate", "earn", 0},
	{"GET", "/v1/orders/{source}/{id}", "earn", 0},
	{"POST", "/v1/activities", "earn", 0},

	{"POST", "/v1/holds", "redeem", 0},
	{"GET", "/v1/holds/{id}", "redeem", 0},
	{"POST", "/v1/holds/{id}/capture", "redeem", 0},
	{"POST", "/v1/holds/{id}/release", "redeem", 0},
	{"POST", "/v1/redemptions", "redeem", 0},
	{"GET", "/v1/redemptions/{id}", "redeem", 0},
	{"POST", "/v1/redemptions/{id}/cancel", "redeem", 0},
	{"POST", "/v1/payouts", "redeem", 0},
	{"GET", "/v1/payouts/{id}", "redeem", 0},
	{"POST", "/v1/payouts/{id}/approve", "redeem", 0},
	{"POST", "/v1/payouts/{id}/reject", "redeem", 0},
	{"POST", "/v1/vouchers/validate", "redeem", 0},
	{"POST", "/v1/vouchers/redeem", "redeem", 0},
	{"POST", "/v1/vouchers/{code}/release", "redeem", 0},

	{"POST", "/v1/members", "members", 0},
	{"GET", "/v1/members", "members", 0},
	{"GET", "/v1/members/{id}", "members", 0},
	{"PATCH", "/v1/members/{id}", "members", 0},
	{"POST", "/v1/members/{id}/merge", "members", 0},
	{"POST", "/v1/members/{id}/tokens", "members", 0},
	{"DELETE", "/v1/members/{id}/tokens", "members", 0},
	{"POST", "/v1/members/{id}/adjustments", "members", 0},
	{"GET", "/v1/members/{id}/ledger", "members", 0},
	{"GET", "/v1/members/{id}/ledger/verification", "members", 0},
	{"GET", "/v1/members/{id}/ledger/{entry}/explanation", "earn", 0},
	{"GET", "/v1/members/{id}/orders", "members", 0},
	{"GET", "/v1/members/{id}/entitlements", "members", 0},
	{"GET", "/v1/members/{id}/vouchers", "members", 0},
	{"POST", "/v1/members/{id}/choices", "members", 0},
	{"POST", "/v1/members/{id}/cards", "members", 0},
	{"GET", "/v1/cards/{number}", "members", 0},
	{"GET", "/v1/segments/{id}/members", "members", 0},
	{"GET", "/v1/leaderboards/{id}", "members", 0},
	{"GET", "/v1/partners/{id}/statements/{month}", "members", 0},
	{"POST", "/v1/partners/{id}/exchanges", "members", 0},
	{"POST", "/v1/privacy/exports", "members", 0},
	{"POST", "/v1/privacy/erasures", "members", 0},

	{"POST", "/v1/members/{id}/referral-code", "refer", 0},
	{"GET", "/v1/members/{id}/referrals", "refer", 0},
	{"POST", "/v1/referrals", "refer", 0},
	{"GET", "/v1/referrals/{id}", "refer", 0},
	{"POST", "/v1/referrals/{id}/approve", "refer", 0},
	{"POST", "/v1/referrals/{id}/reject", "refer", 0},
	{"GET", "/r/{code}", "refer", linkRate},
	{"GET", "/r/{code}/qr.svg", "refer", linkRate},

	{"GET", "/v1/reports", "reports", 0},
	{"GET", "/v1/reports/{name}", "reports", 0},

	{"POST", "/v1/segment-runs", "segment", 0},
	{"GET", "/v1/segment-runs", "segment", 0},
	{"GET", "/v1/segment-runs/{id}", "segment", 0},
	{"GET", "/v1/segments", "segment", 0},
	{"POST", "/v1/segments/preview", "segment", 0},
	{"GET", "/v1/segments/{id}", "segment", 0},
	{"PUT", "/v1/segments/{id}", "segment", 0},

	{"POST", "/v1/imports", "imports", 0},
	{"GET", "/v1/imports/{id}", "imports", 0},

	{"GET", "/v1/program", "program", 0},
	{"PUT", "/v1/program", "program", 0},
	{"GET", "/v1/program/versions", "program", 0},
	{"GET", "/v1/program/terms", "program", 0},
	{"GET", "/openapi.json", "program", 0},
	{"GET", "/healthz", "program", 0},

	{"POST", "/v1/simulations", "simulations", 0},
	{"GET", "/v1/simulations/{id}", "simulations", 0},
}

// Simulations plays a draft of the program over recorded history: over every
// file of an export of the table, over every shard, and once to merge.
var Simulations = Machine{
	Name: "simulations", Does: "a draft of the program over recorded history", Steps: "replay", Exports: true,
	Shards: 128, Parallel: 40, Timeout: 6 * time.Hour,
}

// Segments puts members into their segments, over every shard of them. It
// reads the table itself, so that few shards at once leave it to the tills.
var Segments = Machine{
	Name: "segments", Does: "a run that puts members into their segments", Steps: "refresh",
	Shards: 64, Parallel: 8, Timeout: 6 * time.Hour,
}

// Machines are all state machines.
var Machines = []Machine{Simulations, Segments}

// Kept is how long the files of a run stay, whole days. They hold copies of
// what the table has: not longer than a run may need them.
const Kept = 48 * time.Hour

// Default is the function that answers what no route matches.
const Default = "program"

// Schedules of the system. Those of maintain run the same pass, which writes down
// everything that is due in the order of time: an expiry cannot be written
// before the activation that it follows.
var Schedules = []Schedule{
	{Name: "expire", Function: "maintain", Every: 15 * time.Minute, Does: "points and holds whose time has passed"},
	{Name: "activate", Function: "maintain", Every: time.Hour, Does: "pending points whose day has come"},
	{Name: "referrals", Function: "qualify", Every: 15 * time.Minute, Does: "friends whose order is safe, registrations that came to nothing"},
	{Name: "segment", Function: "refresh", Every: 24 * time.Hour, Does: "a run of every program puts its members into their segments"},
	{Name: "imports", Function: "importer", Every: 15 * time.Minute, Does: "files of history that are not finished"},
	{Name: "tiers", Function: "maintain", Every: 12 * time.Hour, Does: "levels, warnings, choices and memberships whose time has come"},
}

// Announced is what announce is given. Orders, ledger pages, idempotency
// answers and pointers to members change with these or tell nothing new, and
// a filter costs nothing where a started function would.
var Announced = []string{"ACCOUNT", "PROFILE", "REDEMPTION", "VOUCHER", "PRIVACY", "REFERRAL#"}

// Changes are read by all who read them in the same way.
var Changes = Feed{
	Batch:    100,
	Parallel: 10,
	Retries:  10,
	MaxAge:   12 * time.Hour, // half of the day for which the stream keeps a change: time left to put it right by hand
}

// ScheduleRetries is how often the start of a run is tried again; all of it
// within Every, for then the next run does the same work.
const ScheduleRetries = 3
