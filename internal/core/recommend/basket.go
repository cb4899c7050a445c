package recommend

import (
	"cmp"
	"slices"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Basket is what a customer bought at once.
type Basket struct {
	Customer string
	Order    string
	At       event.Time
	Items    []string // each once
}

// BasketFigures are what lists hit of baskets that they had not seen.
type BasketFigures struct {
	Customers int
	HitRate   float64 // how often anything of the basket was in the list
	Precision float64
	Recall    float64
}

// LastBaskets measures the lists for a customer on last baskets: of each customer
// with two baskets or more the last one is what is to be guessed, from all others'
// and all earlier ones. Replenish guesses all of it; fresh, only what the customer
// never bought before, and what they did is barred from the list.
//
// Skip leaves out so many of the last baskets of each customer first: with 1 the
// second-last ones are guessed and the last are not seen, which is how settings are
// chosen without looking at what they are judged by.
//
// What is in demand at the time of a basket is what was bought before it.
func LastBaskets(baskets []Basket, skip, n int) (replenish, fresh BasketFigures) {
	sorted := slices.Clone(baskets)
	slices.SortStableFunc(sorted, func(a, b Basket) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Order, b.Order)) })
	people := map[string][]int{}
	var order []string
	for i := range sorted {
		c := sorted[i].Customer
		if people[c] == nil {
			order = append(order, c)
		}
		people[c] = append(people[c], i)
	}
	target := map[int]bool{}
	gone := map[int]bool{}
	for _, c := range order {
		list := people[c]
		for k := 0; k < skip && len(list) > 1; k++ {
			gone[list[len(list)-1]] = true
			list = list[:len(list)-1]
		}
		if len(list) > 1 {
			target[list[len(list)-1]] = true
			list = list[:len(list)-1]
		}
		people[c] = list
	}
	histories := NewIndex(Options{Clicks: -1, Recent: -1, Longest: -1, Gap: -1})
	numbers := map[string]uint64{}
	for i, c := range order {
		numbers[c] = uint64(i + 1)
	}
	for i := range sorted {
		if b := &sorted[i]; !target[i] && !gone[i] {
			for _, item := range b.Items {
				histories.Click(numbers[b.Customer], item, b.At)
			}
		}
	}
	demand := NewTally(demandHalf)
	var s Scratch
	for i := range sorted {
		b := &sorted[i]
		switch {
		case gone[i]:
		case !target[i]:
			for _, item := range b.Items {
				demand.Add(item, 1, b.At)
			}
		default:
			bought := boughtIn(sorted, people[b.Customer])
			var likes []Like
			had := map[string]bool{}
			for k := range bought {
				likes = append(likes, Like{bought[k].SKU, bought[k].Last})
				had[bought[k].SKU] = true
			}
			own := Replenish(nil, bought, func(b *profile.Bought) string { return b.SKU }, func(*profile.Bought) (float64, bool) { return 0, false }, demand, b.At, n)
			replenish.add(own, b.Items, n)
			left := slices.DeleteFunc(slices.Clone(b.Items), func(item string) bool { return had[item] })
			if len(left) > 0 {
				list := histories.Taste(nil, likes, func(item string) bool { return had[item] }, numbers[b.Customer], demand, b.At, n, &s)
				fresh.add(list, left, n)
			}
		}
	}
	replenish.mean()
	fresh.mean()
	return replenish, fresh
}

// demandHalf is after which time a purchase counts half for what is in demand.
const demandHalf = 14 * 24 * time.Hour

// boughtIn is what a profile remembers of baskets.
func boughtIn(all []Basket, numbers []int) []profile.Bought {
	at := map[string]int{}
	var list []profile.Bought
	for _, n := range numbers {
		for _, item := range all[n].Items {
			i, known := at[item]
			if !known {
				i = len(list)
				at[item] = i
				list = append(list, profile.Bought{SKU: item, First: all[n].At})
			}
			list[i].Count++
			list[i].Last = all[n].At
		}
	}
	return list
}

func (f *BasketFigures) add(list []Item, basket []string, n int) {
	hits := 0
	for i := range list {
		if slices.Contains(basket, list[i].Name) {
			hits++
		}
	}
	f.Customers++
	if hits > 0 {
		f.HitRate++
	}
	f.Precision += float64(hits) / float64(n)
	f.Recall += float64(hits) / float64(len(basket))
}

func (f *BasketFigures) mean() {
	n := float64(max(f.Customers, 1))
	f.HitRate, f.Precision, f.Recall = f.HitRate/n, f.Precision/n, f.Recall/n
}
