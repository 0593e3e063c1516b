#include "server/core/clean_text.h"

#include <google/protobuf/descriptor.h>

#include <string>
#include <utility>
#include <vector>

#include "adapters/core/json.h"

namespace llm::server {
namespace {

namespace pb = google::protobuf;

void CleanString(pb::Message* message, const pb::FieldDescriptor* field) {
  const pb::Reflection* reflection = message->GetReflection();
  std::string scratch;
  const auto clean = [&scratch](const std::string& text) {
    if (IsValidUtf8(text)) return false;
    scratch = text;
    return ReplaceInvalidUtf8(&scratch);
  };
  if (!field->is_repeated()) {
    if (clean(reflection->GetStringReference(*message, field, &scratch))) {
      reflection->SetString(message, field, std::move(scratch));
    }
    return;
  }
  for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
    if (clean(reflection->GetRepeatedStringReference(*message, field, i,
                                                     &scratch))) {
      reflection->SetRepeatedString(message, field, i, std::move(scratch));
    }
  }
}

void CleanMessages(pb::Message* message, const pb::FieldDescriptor* field) {
  const pb::Reflection* reflection = message->GetReflection();
  if (!field->is_repeated()) {
    CleanText(reflection->MutableMessage(message, field));
    return;
  }
  for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
    CleanText(reflection->MutableRepeatedMessage(message, field, i));
  }
}

}  // namespace

void CleanText(pb::Message* message) {
  std::vector<const pb::FieldDescriptor*> fields;
  message->GetReflection()->ListFields(*message, &fields);
  for (const pb::FieldDescriptor* field : fields) {
    if (field->type() == pb::FieldDescriptor::TYPE_STRING) {
      CleanString(message, field);
    } else if (field->cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE) {
      CleanMessages(message, field);
    }
  }
}

}  // namespace llm::server
