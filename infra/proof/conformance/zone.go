package main

import (
	"time"
	_ "time/tzdata" // so that it runs where no zone files are
)

// jerusalem is the zone of the base program.
func jerusalem() *time.Location {
	zone, err := time.LoadLocation("Asia/Jerusalem")
	if err != nil {
		panic("conformance: the zone is compiled in: " + err.Error())
	}
	return zone
}
