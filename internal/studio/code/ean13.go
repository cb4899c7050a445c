package code

import (
	"fmt"

	"rapport/internal/fault"
)

// The patterns of GS1 General Specifications, section 5.2, seven modules a digit:
// set A; B is C backwards, C is A inverted.
var setA = [10]string{"0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011"}

// parity says by which set the second to seventh digit are drawn; it stands for
// the first digit, which has no bars of its own.
var parity = [10]string{"AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA"}

// checkDigit returns the thirteenth digit of the first twelve.
func checkDigit(digits string) byte {
	sum := 0
	for i := range 12 {
		weight := 1 + i%2*2
		sum += weight * int(digits[i]-'0')
	}
	return byte('0' + (10-sum%10)%10)
}

// ean13 returns the bars of 13 digits; to 12 it adds the check digit.
func ean13(text string) ([]bool, error) {
	if len(text) != 12 && len(text) != 13 {
		return nil, fault.New(fault.Invalid, fmt.Sprintf("an EAN-13 has 13 digits, or 12 to which the check digit is added; this has %d", len(text)))
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return nil, fault.New(fault.Invalid, "an EAN-13 has digits only")
		}
	}
	check := checkDigit(text)
	if len(text) == 12 {
		text += string(check)
	} else if text[12] != check {
		return nil, fault.New(fault.Invalid, fmt.Sprintf("the last digit of the EAN-13 must be %c, its check digit", check))
	}
	bars := pattern(nil, "101")
	for i, set := range parity[text[0]-'0'] {
		p := setA[text[i+1]-'0']
		if set == 'B' {
			p = backwards(inverted(p))
		}
		bars = pattern(bars, p)
	}
	bars = pattern(bars, "01010")
	for i := 7; i < 13; i++ {
		bars = pattern(bars, inverted(setA[text[i]-'0']))
	}
	return pattern(bars, "101"), nil
}

func pattern(bars []bool, p string) []bool {
	for i := range len(p) {
		bars = append(bars, p[i] == '1')
	}
	return bars
}

func inverted(p string) string {
	b := []byte(p)
	for i := range b {
		b[i] ^= '0' ^ '1'
	}
	return string(b)
}

func backwards(p string) string {
	b := make([]byte, len(p))
	for i := range b {
		b[i] = p[len(p)-1-i]
	}
	return string(b)
}
