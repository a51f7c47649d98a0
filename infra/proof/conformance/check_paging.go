package main

import (
	"fmt"
	"net/url"
)

// Convention 5: lists.
var paging = Scenario{"paging", "lists come newest first in pages that neither repeat nor leave out", func(s *shop) {
	// pages reads a list with a limit and answers what it says of each element.
	pages := func(path string, limit int, says func(a answer, at string) string) (all []string, sizes []int) {
		for cursor := ""; ; {
			a := s.must("GET", fmt.Sprintf("%s?limit=%d&cursor=%s", path, limit, url.QueryEscape(cursor)), nil)
			n := len(a.list("data"))
			sizes = append(sizes, n)
			for i := range n {
				all = append(all, says(a, fmt.Sprintf("data.%d.", i)))
			}
			cursor = a.str("next_cursor")
			s.eq(a, "has_more", cursor != "")
			if cursor == "" || len(sizes) > 20 {
				return all, sizes
			}
		}
	}
	want := func(what string, got, want any) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			s.differs("%s: want %v, got %v", what, want, got)
		}
	}
	s.part("a ledger and the orders of a member", func() {
		m := s.enrol("paging")
		var newest []string
		for i := 1; i <= 5; i++ {
			o := s.order(fmt.Sprint(i), m, 1000)
			s.earn(o)
			newest = append([]string{o["id"].(string)}, newest...)
		}
		seqs, sizes := pages("/v1/members/"+m+"/ledger", 2, func(a answer, at string) string { return fmt.Sprint(s.number(a, at+"seq")) })
		want("seq in pages of 2", seqs, []int{5, 4, 3, 2, 1})
		want("sizes of the pages", sizes, []int{2, 2, 1})
		orders, _ := pages("/v1/members/"+m+"/orders", 3, func(a answer, at string) string { return a.str(at + "id") })
		want("orders in pages of 3", orders, newest)
		_, sizes = pages("/v1/members/"+m+"/ledger", 200, func(a answer, at string) string { return a.str(at + "id") })
		want("sizes of the pages of at most 200", sizes, []int{5})
		for _, query := range []string{"limit=0", "limit=201", "limit=x", "cursor=%21"} {
			s.refused(400, "invalid_request", "GET", "/v1/members/"+m+"/ledger?"+query, nil)
		}
	})
	s.part("the versions of the program", func() {
		s.program(`{"clawback": "clamp"}`)
		s.program(`{"clawback": "negative"}`)
		a := s.must("GET", "/v1/program/versions?limit=2", nil)
		s.eq(a, "data.0.version", s.version)
		s.eq(a, "data.0.clawback", "negative")
		s.eq(a, "data.1.clawback", "clamp")
		s.eq(a, "has_more", true)
	})
}}
