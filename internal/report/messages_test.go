package report

import "testing"

func TestWhatACustomerIsWorthStandsBesideOtherWords(t *testing.T) {
	for said, want := range map[string]float64{
		`{"predictions":[{"name":"clv","value":380}]}`:                                            380,
		`{"predictions":[{"name":"clv","value":"380.5"}]}`:                                        380.5,
		`{"predictions":[{"name":"next_order","value":"2012-02-16"},{"name":"clv","value":380}]}`: 380,
		`{"predictions":[{"name":"personas","value":["a","b"]},{"name":"clv","value":380}]}`:      380,
		`{"predictions":[{"name":"clv","value":380},{"name":"next_order","value":"2012-02-16"}]}`: 380,
		`{"predictions":[{"name":"next_order","value":"2012-02-16"}]}`:                            -1,
		`{"predictions":[{"name":"clv","value":"much"}]}`:                                         -1,
		`{"predictions":[{"name":"clv","value":"NaN"}]}`:                                          -1,
		`{"predictions":"of another form"}`:                                                       -1,
	} {
		got, ok := worth(said)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("worth(%s) = %v, want %v", said, got, want)
		}
	}
}
