package rehearse

import (
	"slices"
	"strings"
)

// Difference shows where two texts differ, line by line: what only want has with "-", what only got has with "+", and
// some lines around.
func Difference(want, got string) string {
	const around = 3
	var out []string
	shown := 0
	all := difference(strings.Split(want, "\n"), strings.Split(got, "\n"))
	for i, line := range all {
		if strings.HasPrefix(line, "  ") {
			continue
		}
		from := max(shown, i-around)
		if from > shown {
			out = append(out, "…")
		}
		shown = min(len(all), i+around+1)
		out = append(out, all[from:shown]...)
	}
	return strings.Join(out, "\n")
}

// difference shows two lists as one: what only want has with "-", what only got has with "+", in order.
func difference(want, got []string) []string {
	// common[i][j] is how many elements want[i:] and got[j:] have in common, in order.
	common := make([][]int, len(want)+1)
	for i := range common {
		common[i] = make([]int, len(got)+1)
	}
	for i, w := range slices.Backward(want) {
		for j, g := range slices.Backward(got) {
			if w == g {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out []string
	i, j := 0, 0
	for i < len(want) || j < len(got) {
		switch {
		case i < len(want) && j < len(got) && want[i] == got[j]:
			out = append(out, "  "+want[i])
			i, j = i+1, j+1
		case j == len(got) || i < len(want) && common[i+1][j] >= common[i][j+1]:
			out = append(out, "- "+want[i])
			i++
		default:
			out = append(out, "+ "+got[j])
			j++
		}
	}
	return out
}
