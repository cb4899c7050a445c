package code

import (
	"fmt"

	"rapport/internal/fault"
)

// The widths of bars and spaces of each symbol of ISO/IEC 15417, table 1, in
// order of their values; a symbol has eleven modules, and the stop symbol thirteen.
var symbols = [107]string{
	"212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213",
	"221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132",
	"221231", "213212", "223112", "312131", "311222", "321122", "321221", "312212", "322112", "322211",
	"212123", "212321", "232121", "111323", "131123", "131321", "112313", "132113", "132311", "211313",
	"231113", "231311", "112133", "112331", "132131", "113123", "113321", "133121", "313121", "211331",
	"231131", "213113", "213311", "213131", "311123", "311321", "331121", "312113", "312311", "332111",
	"314111", "221411", "431111", "111224", "111422", "121124", "121421", "141122", "141221", "112214",
	"112412", "122114", "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111",
	"111242", "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
	"214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311", "113141",
	"114131", "311141", "411131", "211412", "211214", "211232", "2331112",
}

// Values of the symbols that are no characters.
const (
	toC    = 99
	toB    = 100
	startB = 104
	startC = 105
	stop   = 106
)

// code128 returns the bars of a text: pairs of digits by set C where that is
// shorter, the rest by set B.
func code128(text string) ([]bool, error) {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return nil, fault.New(fault.Invalid, fmt.Sprintf("a Code 128 says letters without accents, digits and signs; the %d. character is none: use a QR code", i+1))
		}
	}
	values := values128(text)
	sum := values[0]
	for i, v := range values[1:] {
		sum += (i + 1) * v
	}
	values = append(values, sum%103, stop)
	var bars []bool
	for _, v := range values {
		for i, w := range symbols[v] {
			for range w - '0' {
				bars = append(bars, i%2 == 0)
			}
		}
	}
	return bars, nil
}

// values128 returns the start symbol and the symbols of the text. A run of digits
// is worth two changes of the set from six digits on, and one at either end from
// four.
func values128(text string) (values []int) {
	const within, atEnd = 6, 4
	set := 0
	change := func(to, start int) {
		if set == 0 {
			values = append(values, start)
		} else if set != to {
			values = append(values, to)
		}
		set = to
	}
	for i := 0; i < len(text); {
		n := digits(text[i:])
		least := within
		if i == 0 || i+n == len(text) || set == toC {
			least = atEnd
		}
		if set == toC || n == 2 && len(text) == 2 {
			least = 2
		}
		if n < least {
			change(toB, startB)
			values = append(values, int(text[i]-' '))
			i++
			continue
		}
		if n%2 == 1 && set != toC {
			// The odd digit goes first, in set B, if something stands before it.
			if set == toB {
				values = append(values, int(text[i]-' '))
				i++
			}
			n--
		}
		change(toC, startC)
		for ; n >= 2; n -= 2 {
			values = append(values, int(text[i]-'0')*10+int(text[i+1]-'0'))
			i += 2
		}
	}
	return values
}

// digits counts the digits at the beginning.
func digits(s string) (n int) {
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
