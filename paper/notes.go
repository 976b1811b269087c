package paper

// notes say what the numbers of a table mean and why ours may differ.
var notes = map[int][]string{}

// realNote stands above the tables of the user's data.
const realNote = "The data of the paper's Tables 4 and 5 cannot be passed on. These are its columns for data at hand, and below each the breakdown by predicted class, as in its Figure 3. Numbers of other data are not to be compared with the paper's."
