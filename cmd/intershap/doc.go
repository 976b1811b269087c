// Intershap measures how much of a multimodal model's behaviour is interaction
// between modalities, and how much each modality does alone.
//
// It takes a model as an ONNX file and data as NPZ, Parquet or CSV. Rows that
// look like the data, such as the training data, fill the modalities that are
// left out. The example of this manual is in examples/triage: a model that sends
// patients home, to a ward, to theatre or into isolation, by an image, an
// ECG and laboratory values.
//
// What the model takes, and what a run would cost:
//
//	$ intershap inspect model.onnx test.npz --background train.npz
//	model    model.onnx
//	...
//	        name           type     shape
//	input   image          float32  [N,1,12,12]
//	input   ecg            float32  [N,2,48]
//	input   labs           float32  [N,6]
//	output  logits         float32  [N,4]
//	output  probabilities  float32  [N,4]
//
//	modality  elements  inputs
//	image          144  image
//	ecg             96  ecg
//	labs             6  labs
//
//	data        test.npz, 200 samples
//	background  train.npz, 600 rows, mask marginal
//	output      probabilities, transform identity
//	task        classes (guessed)
//	classes     0, 1, 2, 3
//	target      predicted
//	convention  paper
//
//	part            multiply-adds  hands on     rows  plain way  time
//	image                  50.1 %        48      800    720,800  ...
//	ecg                    46.0 %        48      800    720,800  ...
//	labs                    1.3 %        48      800    720,800  ...
//	image+ecg+labs          2.5 %         4  720,800    720,800  ...
//	all parts                                723,200             ...
//	the plain way                                       720,800  ...
//
//	plan    staged, each part on the rows that differ for it
//	...
//
// The encoders are nearly all of the model, and each of them runs once for every
// sample and background row; the small rest runs on their combinations. The
// plain way would push every row through the whole model.
//
// The scores, with names for the classes. InterSHAP is the share of interaction;
// below it stand each modality's own share and that of each pair. The column
// marked * is the one to read, see intershap help conventions:
//
//	$ intershap explain model.onnx test.npz --background train.npz --classes home,ward,theatre,isolate
//	...
//	target predicted: base 0.2847, output 0.9264
//
//	              global *             mean absolute         local
//	InterSHAP      44.4 % [39.5, 49.4]  42.2 % [38.2, 46.2]  44.1 % ± 29.9
//	  corrected                                              44.1 %
//	image          46.2 % [41.8, 50.7]  43.2 % [38.5, 47.9]
//	ecg             9.2 % [6.9, 11.6]   11.6 % [9.0, 14.2]
//	labs         < 0.81 %                3.0 % [2.6, 3.5]
//	image × ecg    44.3 % [39.5, 49.3]  41.4 % [37.5, 45.4]
//	...
//	predicted class  samples  InterSHAP *             base  output
//	home                  34    33.4 % [28.7, 38.0]  0.2124  0.9499
//	ward                  80    81.3 % [78.0, 91.0]  0.4242  0.9471
//	theatre               40    37.6 % [33.6, 41.5]  0.1573  0.8980
//	isolate               46  < 0.63 %               0.2060  0.8974
//	macro average             38.2 % [36.7, 39.8]
//	macro average: the mean over classes, in which each counts once; the pooled
//	score above counts a class by its samples
//	...
//
// A mistake is one line, the remedy the next; the last line here is the exit
// code:
//
//	$ intershap explain model.onnx test.npz --modality vision=picture
//	intershap: dataset: modality "vision=picture": "picture" is no input, column or pattern of them
//	hint: the model has the inputs image, ecg, labs
//	exit 1
//
// For scripts: --json prints one document, --fail-above and --fail-below end
// with the exit code 3.
//
//	$ intershap explain -q model.onnx test.npz --background-size 20 --fail-above 0.05
//	...
//	intershap: target predicted: global InterSHAP is ..., above 0.05
//	exit 3
//
// intershap help lists commands and topics.
package main
