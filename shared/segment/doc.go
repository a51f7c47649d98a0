// Package segment is the mathematics of groups of members: who is among the top
// 20 %, who buys often or much, who has stopped, who probably still buys and what
// that is worth; and of what the programme owes them.
//
// Standard library and gonum's optimizer only. Every function decides from its
// arguments: no clock, no table, no chance, no log. Money is int64 minor units
// and exact ratios; floats are for the two statistical models and what they
// forecast, nothing else.
//
// What works over many members works over shards: each shard gives plain data,
// the data merge, and the result is the same to the last unit as over all at once.
//
// Not here: reading members and writing their groups (functions/segment), the
// groups that a program defines by its own conditions, birthdays (the calendar of
// occasions), referral trees, and anything about a single order.
package segment
