package wording

import "fmt"

// OrderName is what coalitions of a number of modalities are called.
func OrderName(order int) string {
	switch order {
	case 1:
		return "singles"
	case 2:
		return "pairs"
	case 3:
		return "triples"
	}
	return fmt.Sprintf("%d together", order)
}
