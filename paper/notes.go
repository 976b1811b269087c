package paper

// Notes say what the numbers of a table mean, and, for the full run, where and why
// ours differ. What is said of the full run holds for docs/paper.md, which a test
// makes again from the run's scores.

// definitions stand below a table of any run.
var definitions = map[int][]string{
	2: {
		"XOR is the labelling function on the clean bits, FCNN a network on the vectors that hide them. PID synergy is that of the data (features and true labels) under XOR, and that of the network's predictions under FCNN. EMAP's constant is the mean over all pairs of samples. SHAPE has zeros for absent modalities, and the F1 of always naming the most frequent label for none.",
	},
	10: {
		"The published networks of intermediate and late fusion leave the layers of single modalities at their random initialisation: their code keeps those layers where the optimiser does not see them. Encoders frozen are the networks as published, encoders trained what the paper's text describes.",
	},
	11: {
		"Modality 1 and 2 are networks that see one modality alone. For intermediate and late fusion see the note on frozen encoders below Table 10.",
	},
}

// findings stand below a table of the full run.
var findings = map[int][]string{
	2: {
		"InterSHAP. XOR, uniqueness and synergy agree. Redundancy depends on the draw of the data, and ± holds the networks' seeds alone: with other data (seeds 2 and 3) the network of seed 1 gives 41.6 and 29.2. Random has labels that follow from nothing and are learnt by heart (F1 50.5), so that its number describes a network between its training samples; other data (seeds 2 and 3) give 64.9 and 65.0.",
		"Local scores are exact means over one fixed background here; the published code draws another for every batch, and the 1.8 where the truth is 0 is that noise. Of XOR ours is 95.3, not 100, since 1,000 rows do not hold each bit exactly half of the time.",
		"PID is an estimate of the same pipeline on 3,000 samples. Of labels that follow from nothing it gives 0.07, as much as of shuffled targets, which is what bins and samples alone make; the published 0.48 is about what it gives of 100 samples (0.42 to 0.45, see rivals.md).",
		"EMAP is of the logits, as published, and signed; the published code takes absolute values.",
		"SHAPE of XOR, synergy and redundancy has the published sign and about the size. Uniqueness and random have about the published size and the other sign. Ours follow from the definition: with zeros in the place of what it goes by a network guesses, with an F1 near 50, which is above the 33.3 of always naming one class. With the majority's share, 50, as baseline they would be 1.2 and 0.6.",
	},
	3: {
		"The fall with the number of modalities, and the F1 that goes with it, come out with the label exactly-one and the sizes and noise of the published code. It is not in the labels: a function that is right on all clean bits has 92.6 % at M = 3 and 95.0 % at M = 4 (classes balanced), and parity of the bits would have 75 and 66.7. It is the networks, which are right on four of five samples; parity of three bits they do not learn at all (F1 50.3). At M = 3 ours shows six points more interaction than the published at the same F1, and 94.0 with other data (seed 2): that difference is not explained.",
	},
	9: {
		"In the published order but for redundancy, and with three to eight points more interaction. The labels of the published code leave out some of the numbers at random, so that no model is right always; how far a network goes beyond the sum depends on when its training stops. The generator of the paper's text is further away: 32.7 on synergy (variant appendix, one seed).",
	},
	10: {
		"With frozen encoders ours agrees within five points. Trained, intermediate fusion shows as much synergy as early fusion. Late fusion is additive in its logits; what it shows of interaction in probabilities is the softmax behind the sum, 15.8 % for a network that only guesses (F1 49.8 in Table 11).",
	},
	11: {
		"With frozen encoders ours agrees within four points. So the published weakness of late fusion, 60.5 on uniqueness, is that of encoders that were never trained: trained, it has 99.8. It cannot represent synergy, trained or not.",
	},
}

// notes returns what stands below a table.
func notes(table int, quick bool) []string {
	out := append([]string{}, definitions[table]...)
	if !quick {
		out = append(out, findings[table]...)
	}
	return out
}

// realNote stands above the tables of the user's data.
const realNote = "The data of the paper's Tables 4 and 5 cannot be passed on. These are its columns for data at hand, and below each the breakdown by predicted class, as in its Figure 3. Numbers of other data are not to be compared with the paper's. The background is drawn from the training file. PID is that of predictions, ± over seeds of k-means; shuffled is what shuffled predictions give. With more than two modalities pairwise synergy and the product form of EMAP are ours: see rivals.md."
