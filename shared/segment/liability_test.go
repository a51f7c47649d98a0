package segment_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"regulars/shared/segment"
)

// SC15 (a): IFRS 15, illustrative example 52.
func TestSC15Example52(t *testing.T) {
	share, err := segment.Sale{Price: 100_000, Points: 10_000, PointValue: 1, Redemption: segment.Ratio{Num: 95, Den: 100}}.PointsShare()
	if err != nil || share != 8676 {
		t.Fatal(share, err)
	}
	first, err := segment.Recognized(share, 4500, 9500)
	if err != nil || first != 4110 {
		t.Error(first, err)
	}
	second, err := segment.Recognized(share, 8500, 9700)
	if err != nil || second-first != 3493 || share-second != 1073 {
		t.Error(second-first, share-second, err)
	}
}

// SC15 (b): what the closing points cost, without and with what is pending.
func TestSC15Valued(t *testing.T) {
	closing := int64(0) + 20_000 - 5_000 - 2_500 - 600 + 100
	for points, want := range map[int64]int64{closing: 480_00, closing + 3_000: 600_00} {
		if got, err := segment.Liability(points, 5, segment.Ratio{Num: 80, Den: 100}); err != nil || got != want {
			t.Errorf("%d points: %d %v, want %d", points, got, err, want)
		}
	}
}

func TestLiabilityRounds(t *testing.T) {
	for _, c := range []struct{ points, value, num, den, want int64 }{
		{1, 1, 1, 2, 1}, {1, 1, 49, 100, 0}, {3, 1, 1, 2, 2}, {math.MaxInt64, 1, 1, 1, math.MaxInt64}, {0, 5, 1, 1, 0}, {7, 5, 0, 1, 0},
	} {
		if got, err := segment.Liability(c.points, c.value, segment.Ratio{Num: c.num, Den: c.den}); err != nil || got != c.want {
			t.Errorf("%+v: %d %v", c, got, err)
		}
	}
}

func TestLiabilityThatCannotBe(t *testing.T) {
	all := segment.Ratio{Num: 1, Den: 1}
	for i, f := range []func() (int64, error){
		func() (int64, error) { return segment.Liability(-1, 1, all) },
		func() (int64, error) { return segment.Liability(1, -1, all) },
		func() (int64, error) { return segment.Liability(1, 1, segment.Ratio{Num: 3, Den: 2}) },
		func() (int64, error) { return segment.Liability(1, 1, segment.Ratio{}) },
		func() (int64, error) { return segment.Liability(math.MaxInt64, 2, all) },
		func() (int64, error) { return segment.Recognized(10, 5, 4) },
		func() (int64, error) { return segment.Recognized(-10, 4, 5) },
		func() (int64, error) { return segment.Sale{Price: -1, Redemption: all}.PointsShare() },
		func() (int64, error) { return segment.Sale{Price: 1}.PointsShare() },
	} {
		if got, err := f(); !errors.Is(err, segment.ErrLiability) {
			t.Errorf("%d: %d %v", i, got, err)
		}
	}
	for _, f := range []func() (int64, error){
		func() (int64, error) { return segment.Recognized(10, 0, 0) },
		func() (int64, error) { return segment.Sale{Redemption: all}.PointsShare() },
	} {
		if got, err := f(); got != 0 || err != nil {
			t.Error(got, err)
		}
	}
}

// However redemption goes and the expectation changes, the periods add up to the share.
func TestPeriodsAddUpToTheShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := segment.Sale{
			Price: rapid.Int64Range(0, 1<<40).Draw(t, "price"), Points: rapid.Int64Range(1, 1<<30).Draw(t, "points"),
			PointValue: rapid.Int64Range(0, 1000).Draw(t, "value"), Redemption: segment.Ratio{Num: rapid.Int64Range(0, 100).Draw(t, "percent"), Den: 100},
		}
		share, err := e.PointsShare()
		if err != nil || share < 0 || share > e.Price {
			t.Fatal(share, err)
		}
		var redeemed, recognized int64
		for redeemed < e.Points {
			redeemed += rapid.Int64Range(1, e.Points-redeemed).Draw(t, "redeemed")
			expected := rapid.Int64Range(redeemed, e.Points).Draw(t, "expected")
			if redeemed == e.Points || rapid.Bool().Draw(t, "all") {
				expected = redeemed
			}
			now, err := segment.Recognized(share, redeemed, expected)
			if err != nil || now > share {
				t.Fatal(now, err)
			}
			if recognized = now; expected == redeemed {
				break
			}
		}
		if recognized != share {
			t.Fatalf("%d of %d", recognized, share)
		}
	})
}
