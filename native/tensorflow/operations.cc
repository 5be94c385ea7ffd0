// The kernels as operations of TensorFlow. Loading this module into a process of tfjs-node makes them known there.
#include <node_api.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels.h"
#include "own-memory.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace {

using contrafact::Convolution;
using contrafact::Groups;
using contrafact::Heads;
using contrafact::Parallel;
using contrafact::Precision;
using contrafact::Stored;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

/** One call of an operation: its inputs, its results, and its threads. */
class Call {
 public:
  explicit Call(OpKernelContext* context) : context_(context) {}

  const Tensor& input(int i) const { return context_->input(i); }
  const float* in(int i) const { return input(i).flat<float>().data(); }
  int64_t size(int i) const { return input(i).NumElements(); }
  int64_t dim(int i, int axis) const { return input(i).dim_size(axis); }
  int64_t width(int i) const { return dim(i, input(i).dims() - 1); }

  Tensor* result(int i, const TensorShape& shape) {
    Tensor* result = nullptr;
    const auto status = context_->allocate_output(i, shape, &result);
    if (!status.ok()) context_->SetStatus(status);
    return status.ok() ? result : nullptr;
  }
  float* out(int i, const TensorShape& shape) {
    Tensor* tensor = result(i, shape);
    return tensor ? tensor->flat<float>().data() : nullptr;
  }
  /** Outside of TensorFlow's pool, which keeps what it was given and a table of it. */
  float* ownOut(int i, const TensorShape& shape) {
    static auto* const memory = new contrafact::OwnMemory;
    const Tensor result(memory, tensorflow::DT_FLOAT, shape);
    if (!result.IsInitialized()) {
      context_->SetStatus(tensorflow::errors::ResourceExhausted("no memory for a tensor of ", shape.DebugString()));
      return nullptr;
    }
    context_->set_output(i, result);
    return const_cast<float*>(result.flat<float>().data());
  }
  float* outLike(int i, int input) { return out(i, context_->input(input).shape()); }

  float* scratch(int64_t size) {
    const auto status = context_->allocate_temp(tensorflow::DT_FLOAT, TensorShape({size}), &scratch_);
    if (!status.ok()) context_->SetStatus(status);
    return status.ok() ? scratch_.flat<float>().data() : nullptr;
  }

  void fail(const std::string& why) { context_->SetStatus(tensorflow::errors::DataLoss(why)); }

  Parallel parallel() const {
    auto* workers = context_->device()->tensorflow_cpu_worker_threads()->workers;
    return [workers](int64_t total, int64_t cycles, const std::function<void(int64_t, int64_t)>& work) {
      workers->ParallelFor(total, cycles, work);
    };
  }

 private:
  OpKernelContext* context_;
  Tensor scratch_;
};

/** A kernel from a function of its call and its attributes. */
template <typename Attributes, void (*compute)(Call&, const Attributes&)>
class Kernel : public OpKernel {
 public:
  explicit Kernel(OpKernelConstruction* construction) : OpKernel(construction), attributes_(construction) {}
  void Compute(OpKernelContext* context) override {
    Call call(context);
    compute(call, attributes_);
  }

 private:
  const Attributes attributes_;
};

template <typename T>
T attribute(OpKernelConstruction* construction, const char* name) {
  T value{};
  const auto status = construction->GetAttr(name, &value);
  if (!status.ok()) construction->CtxFailure(status);
  return value;
}

struct None {
  explicit None(OpKernelConstruction*) {}
};

void gelu(Call& call, const None&) {
  if (float* y = call.outLike(0, 0)) contrafact::gelu(call.parallel(), call.size(0), call.in(0), y);
}

void geluGrad(Call& call, const None&) {
  if (float* dx = call.outLike(0, 1)) contrafact::geluGrad(call.parallel(), call.size(0), call.in(0), call.in(1), dx);
}

void geglu(Call& call, const None&) {
  TensorShape half = call.input(0).shape();
  const int64_t width = call.width(0) / 2;
  half.set_dim(half.dims() - 1, width);
  if (float* y = call.out(0, half))
    contrafact::geglu(call.parallel(), call.size(0) / (2 * width), width, call.in(0), y);
}

void gegluGrad(Call& call, const None&) {
  const int64_t width = call.width(0);
  if (float* dx = call.outLike(0, 1))
    contrafact::gegluGrad(call.parallel(), call.size(0) / width, width, call.in(0), call.in(1), dx);
}

struct Scale {
  explicit Scale(OpKernelConstruction* construction) : scale(attribute<float>(construction, "scale")) {}
  float scale;
};

void swish(Call& call, const Scale& of) {
  if (float* y = call.outLike(0, 0)) contrafact::swish(call.parallel(), call.size(0), of.scale, call.in(0), y);
}

void swishGrad(Call& call, const Scale& of) {
  if (float* dx = call.outLike(0, 1))
    contrafact::swishGrad(call.parallel(), call.size(0), of.scale, call.in(0), call.in(1), dx);
}

struct Epsilon {
  explicit Epsilon(OpKernelConstruction* construction) : epsilon(attribute<float>(construction, "epsilon")) {}
  float epsilon;
};

void layerNorm(Call& call, const Epsilon& of) {
  const int64_t width = call.width(0);
  if (float* y = call.outLike(0, 0))
    contrafact::layerNorm(call.parallel(), call.size(0) / width, width, of.epsilon, call.in(0), call.in(1), call.in(2), y);
}

void layerNormGrad(Call& call, const Epsilon& of) {
  const int64_t width = call.width(0);
  if (float* dx = call.outLike(0, 1))
    contrafact::layerNormGrad(call.parallel(), call.size(0) / width, width, of.epsilon, call.in(0), call.in(1),
                              call.in(2), dx);
}

struct GroupCount {
  explicit GroupCount(OpKernelConstruction* construction) : groups(attribute<int64_t>(construction, "groups")) {}
  Groups of(const Call& call, int input) const {
    const int64_t batch = call.dim(input, 0), channels = call.width(input);
    return {batch, call.size(input) / (batch * channels), channels, groups};
  }
  int64_t groups;
};

struct GroupNorm : GroupCount {
  explicit GroupNorm(OpKernelConstruction* construction)
      : GroupCount(construction), epsilon(attribute<float>(construction, "epsilon")) {}
  float epsilon;
};

void groupNorm(Call& call, const GroupNorm& norm) {
  const Groups of = norm.of(call, 0);
  const TensorShape statistics({of.batch, 1, of.groups});
  float *y = call.outLike(0, 0), *mean = call.out(1, statistics), *inverse = call.out(2, statistics);
  if (y && mean && inverse)
    contrafact::groupNorm(call.parallel(), of, norm.epsilon, call.in(0), call.in(1), call.in(2), y, mean, inverse);
}

void groupNormGrad(Call& call, const GroupCount& count) {
  const Groups of = count.of(call, 1);
  const TensorShape perSample({of.batch, 1, of.channels});
  float *dx = call.outLike(0, 1), *dWeight = call.out(1, perSample), *dBias = call.out(2, perSample);
  if (dx && dWeight && dBias)
    contrafact::groupNormGrad(call.parallel(), of, call.in(0), call.in(1), call.in(2), call.in(3), call.in(4), dx,
                              dWeight, dBias);
}

void linear(Call& call, const None&) {
  TensorShape shape = call.input(0).shape();
  const int64_t width = call.width(0), out = call.width(1);
  shape.set_dim(shape.dims() - 1, out);
  if (float* y = call.out(0, shape))
    contrafact::linear(call.parallel(), {call.size(0) / width, width, out}, call.in(0), call.in(1), call.in(2), y);
}

struct Pads {
  explicit Pads(OpKernelConstruction* construction)
      : pads(attribute<std::vector<int64_t>>(construction, "pads")), backwards(attribute<bool>(construction, "backwards")) {}
  std::vector<int64_t> pads;
  bool backwards;
};

void winograd(Call& call, const Pads& how) {
  const int64_t outHeight = call.dim(0, 1) + how.pads[0] + how.pads[1] - 2;
  const int64_t outWidth = call.dim(0, 2) + how.pads[2] + how.pads[3] - 2;
  const Convolution of{call.dim(0, 0), call.dim(0, 1), call.dim(0, 2), call.dim(0, 3), outHeight, outWidth,
                       call.dim(1, how.backwards ? 2 : 3), how.pads[0], how.pads[2], how.backwards};
  float* scratch = call.scratch(contrafact::winogradScratch(of));
  float* y = call.out(0, TensorShape({of.batch, outHeight, outWidth, of.out}));
  if (scratch && y)
    contrafact::winograd(call.parallel(), of, call.in(0), call.in(1), call.size(2) ? call.in(2) : nullptr, scratch, y);
}

/** Widths of the parts of every row. */
struct Widths {
  explicit Widths(OpKernelConstruction* construction) : widths(attribute<std::vector<int64_t>>(construction, "widths")) {}
  std::vector<int64_t> widths;
};

void split(Call& call, const Widths& of) {
  const int64_t width = call.width(0), rows = call.size(0) / width;
  std::vector<float*> parts(of.widths.size());
  for (size_t i = 0; i < parts.size(); i++) {
    TensorShape shape = call.input(0).shape();
    shape.set_dim(shape.dims() - 1, of.widths[i]);
    if (!(parts[i] = call.out(i, shape))) return;
  }
  call.parallel()(rows, width / 2 + 8, [&](int64_t first, int64_t end) {
    const float* from = call.in(0) + first * width;
    for (int64_t row = first; row < end; row++)
      for (size_t i = 0; i < parts.size(); i++) {
        std::copy_n(from, of.widths[i], parts[i] + row * of.widths[i]);
        from += of.widths[i];
      }
  });
}

void sumRows(Call& call, const None&) {
  const int64_t width = call.width(0);
  if (float* y = call.out(0, TensorShape({width})))
    contrafact::sumRows(call.parallel(), call.size(0) / width, width, call.in(0), y);
}

/** As many tensors of every kind, the first kind first. */
struct Lists {
  explicit Lists(OpKernelConstruction* construction) : count(attribute<int64_t>(construction, "N")) {}
  /** `work(i)` for the i-th of every kind, `cycles` for an element. */
  template <typename Work>
  void each(const Call& call, int64_t cycles, const Work& work) const {
    int64_t elements = 0;
    for (int64_t i = 0; i < count; i++) elements += call.size(i);
    call.parallel()(count, cycles * (elements / count + 1), [&](int64_t first, int64_t end) {
      for (int64_t i = first; i < end; i++) work(i);
    });
  }
  int64_t count;
};

void globalNorm(Call& call, const Lists& of) {
  std::vector<double> sums(of.count);
  of.each(call, 1, [&](int64_t i) { sums[i] = contrafact::sumOfSquares(call.size(i), call.in(i)); });
  double sum = 0;
  for (const double share : sums) sum += share;
  if (float* y = call.out(0, TensorShape({}))) *y = std::sqrt(sum);
}

// What changes from step to step is an input: TensorFlow keeps a kernel for every value of an attribute.
void adamW(Call& call, const Lists& of) {
  const int64_t n = of.count;
  const float* by = call.in(4 * n);
  std::vector<float*> out(3 * n);
  for (int64_t i = 0; i < 3 * n; i++)
    if (!(out[i] = call.outLike(i, i % n))) return;
  of.each(call, 4, [&](int64_t i) {
    contrafact::adamW(call.size(i), {by[0], by[1], by[2], by[3], by[4]}, call.in(i), call.in(n + i), call.in(2 * n + i),
                      call.in(3 * n + i), out[i], out[n + i], out[2 * n + i]);
  });
}

void mix(Call& call, const Lists& of) {
  const int64_t n = of.count;
  const float* factors = call.in(2 * n);
  std::vector<float*> out(n);
  for (int64_t i = 0; i < n; i++)
    if (!(out[i] = call.outLike(i, i))) return;
  of.each(call, 1, [&](int64_t i) {
    contrafact::mix(call.size(i), factors[0], call.in(i), factors[1], call.in(n + i), out[i]);
  });
}

struct Shape {
  explicit Shape(OpKernelConstruction* construction) : shape(attribute<std::vector<int64_t>>(construction, "shape")) {}
  std::vector<int64_t> shape;
};

void torchNormal(Call& call, const Shape& of) {
  const TensorShape shape(of.shape);
  float* values = call.out(0, shape);
  Tensor* state = call.result(1, call.input(0).shape());
  if (!values || !state) return;
  std::copy_n(call.input(0).flat<int32_t>().data(), call.size(0), state->flat<int32_t>().data());
  contrafact::torchNormal(call.parallel(), shape.num_elements(), state->flat<int32_t>().data(), values);
}

struct Source {
  explicit Source(OpKernelConstruction* construction)
      : file(attribute<std::string>(construction, "file")), shape(attribute<std::vector<int64_t>>(construction, "shape")) {
    const auto dtype = attribute<std::string>(construction, "dtype");
    precision = dtype == "F16" ? Precision::f16 : dtype == "BF16" ? Precision::bf16 : Precision::f32;
  }
  std::string file;
  std::vector<int64_t> shape;
  Precision precision;
};

void readParameter(Call& call, const Source& source) {
  const auto begin = call.input(0).flat<int32_t>();
  const int64_t out = source.shape[0], in = source.shape[1], taps = source.shape[2];
  const Stored stored{source.precision, begin(0) * (int64_t{1} << 30) + begin(1), out, in, taps};
  float* y = call.ownOut(0, TensorShape({taps, in, out}));
  if (y && !contrafact::readParameter(call.parallel(), source.file.c_str(), stored, y))
    call.fail(source.file + " cannot be read");
}

struct Attention {
  explicit Attention(OpKernelConstruction* construction)
      : heads(attribute<int64_t>(construction, "heads")),
        scale(attribute<float>(construction, "scale")),
        causal(attribute<bool>(construction, "causal")) {}
  Heads of(const Call& call, int q) const {
    return {call.dim(q, 0), call.dim(q, 1), call.dim(q + 1, 1), call.dim(q, 2), heads, scale, causal};
  }
  int64_t heads;
  float scale;
  bool causal;
};

void attention(Call& call, const Attention& how) {
  const Heads of = how.of(call, 0);
  float *out = call.outLike(0, 0), *logSums = call.out(1, TensorShape({of.batch, of.heads, of.queries}));
  if (out && logSums)
    contrafact::attention(call.parallel(), of, call.in(0), call.in(1), call.in(2), out, logSums);
}

void attentionGrad(Call& call, const Attention& how) {
  float *dq = call.outLike(0, 1), *dk = call.outLike(1, 2), *dv = call.outLike(2, 3);
  if (dq && dk && dv)
    contrafact::attentionGrad(call.parallel(), how.of(call, 1), call.in(0), call.in(1), call.in(2), call.in(3),
                              call.in(4), call.in(5), dq, dk, dv);
}

#define CONTRAFACT_OPERATION(name, Attributes, compute) \
  REGISTER_KERNEL_BUILDER(Name("Contrafact" name).Device(tensorflow::DEVICE_CPU), Kernel<Attributes, compute>)

REGISTER_OP("ContrafactGelu").Input("x: float").Output("y: float");
REGISTER_OP("ContrafactGeluGrad").Input("dy: float").Input("x: float").Output("dx: float");
REGISTER_OP("ContrafactGeglu").Input("x: float").Output("y: float");
REGISTER_OP("ContrafactGegluGrad").Input("dy: float").Input("x: float").Output("dx: float");
REGISTER_OP("ContrafactSwish").Input("x: float").Output("y: float").Attr("scale: float");
REGISTER_OP("ContrafactSwishGrad").Input("dy: float").Input("x: float").Output("dx: float").Attr("scale: float");
REGISTER_OP("ContrafactLayerNorm")
    .Input("x: float").Input("weight: float").Input("bias: float")
    .Output("y: float")
    .Attr("epsilon: float");
REGISTER_OP("ContrafactLayerNormGrad")
    .Input("dy: float").Input("x: float").Input("weight: float")
    .Output("dx: float")
    .Attr("epsilon: float");
REGISTER_OP("ContrafactGroupNorm")
    .Input("x: float").Input("weight: float").Input("bias: float")
    .Output("y: float").Output("mean: float").Output("inverse: float")
    .Attr("groups: int").Attr("epsilon: float");
REGISTER_OP("ContrafactGroupNormGrad")
    .Input("dy: float").Input("x: float").Input("weight: float").Input("mean: float").Input("inverse: float")
    .Output("dx: float").Output("d_weight: float").Output("d_bias: float")
    .Attr("groups: int");
REGISTER_OP("ContrafactLinear").Input("x: float").Input("weight: float").Input("bias: float").Output("y: float");
REGISTER_OP("ContrafactWinograd")
    .Input("x: float").Input("filter: float").Input("bias: float")
    .Output("y: float")
    .Attr("pads: list(int)").Attr("backwards: bool");
REGISTER_OP("ContrafactSplit").Input("x: float").Output("parts: N * float").Attr("N: int >= 1").Attr("widths: list(int)");
REGISTER_OP("ContrafactSumRows").Input("x: float").Output("y: float");
REGISTER_OP("ContrafactGlobalNorm").Input("xs: N * float").Output("y: float").Attr("N: int >= 1");
REGISTER_OP("ContrafactAdamW")
    .Input("parameters: N * float").Input("gradients: N * float").Input("means: N * float").Input("squares: N * float")
    .Input("by: float")
    .Output("next_parameters: N * float").Output("next_means: N * float").Output("next_squares: N * float")
    .Attr("N: int >= 1");
REGISTER_OP("ContrafactMix")
    .Input("a: N * float").Input("b: N * float").Input("factors: float")
    .Output("y: N * float")
    .Attr("N: int >= 1");
REGISTER_OP("ContrafactTorchNormal")
    .Input("state: int32")
    .Output("values: float").Output("next: int32")
    .Attr("shape: list(int)");
REGISTER_OP("ContrafactReadParameter")
    .Input("begin: int32")
    .Output("y: float")
    .Attr("file: string").Attr("dtype: string").Attr("shape: list(int)")
    .SetIsStateful();
REGISTER_OP("ContrafactAttention")
    .Input("q: float").Input("k: float").Input("v: float")
    .Output("out: float").Output("log_sums: float")
    .Attr("heads: int").Attr("scale: float").Attr("causal: bool");
REGISTER_OP("ContrafactAttentionGrad")
    .Input("d_out: float").Input("q: float").Input("k: float").Input("v: float").Input("out: float").Input("log_sums: float")
    .Output("dq: float").Output("dk: float").Output("dv: float")
    .Attr("heads: int").Attr("scale: float").Attr("causal: bool");

CONTRAFACT_OPERATION("Gelu", None, gelu);
CONTRAFACT_OPERATION("GeluGrad", None, geluGrad);
CONTRAFACT_OPERATION("Geglu", None, geglu);
CONTRAFACT_OPERATION("GegluGrad", None, gegluGrad);
CONTRAFACT_OPERATION("Swish", Scale, swish);
CONTRAFACT_OPERATION("SwishGrad", Scale, swishGrad);
CONTRAFACT_OPERATION("LayerNorm", Epsilon, layerNorm);
CONTRAFACT_OPERATION("LayerNormGrad", Epsilon, layerNormGrad);
CONTRAFACT_OPERATION("GroupNorm", GroupNorm, groupNorm);
CONTRAFACT_OPERATION("GroupNormGrad", GroupCount, groupNormGrad);
CONTRAFACT_OPERATION("Linear", None, linear);
CONTRAFACT_OPERATION("Winograd", Pads, winograd);
CONTRAFACT_OPERATION("AdamW", Lists, adamW);
CONTRAFACT_OPERATION("Mix", Lists, mix);
CONTRAFACT_OPERATION("Split", Widths, split);
CONTRAFACT_OPERATION("SumRows", None, sumRows);
CONTRAFACT_OPERATION("GlobalNorm", Lists, globalNorm);
CONTRAFACT_OPERATION("TorchNormal", Shape, torchNormal);
CONTRAFACT_OPERATION("ReadParameter", Source, readParameter);
CONTRAFACT_OPERATION("Attention", Attention, attention);
CONTRAFACT_OPERATION("AttentionGrad", Attention, attentionGrad);

}  // namespace

// The arithmetic was compiled for the processor of the machine that compiled it, see install-tensorflow.
NAPI_MODULE_INIT() {
  if (const char* missing = contrafact::missingInstructions())
    napi_throw_error(env, nullptr, (std::string("compiled for a processor with ") + missing).c_str());
  return exports;
}
