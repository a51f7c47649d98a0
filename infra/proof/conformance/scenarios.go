package main

// scenarios are all there are, in the order in which they are played. A new
// one is a file of its own and a line here.
var scenarios = []Scenario{
	sc1, sc2, sc3, sc4, sc5, sc6, sc7, sc8, sc9, sc10, sc14, sc15, sc16, sc17, sc18, sc19, sc21, sc22,
	idempotency, problems, paging, strictness, signatures, history, coalition, links, words,
}
