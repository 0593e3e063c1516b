#include "server/core/clean_text.h"

#include <google/protobuf/descriptor.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/container/node_hash_map.h"
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

// The fields of one type in which text can be.
struct TextFields {
  std::vector<const pb::FieldDescriptor*> strings;
  // Of types that hold text, at whatever depth.
  std::vector<const pb::FieldDescriptor*> messages;
};

bool HoldsText(const pb::Descriptor* type,
               absl::flat_hash_set<const pb::Descriptor*>* seen) {
  if (!seen->insert(type).second) return false;
  for (int i = 0; i < type->field_count(); ++i) {
    const pb::FieldDescriptor* field = type->field(i);
    if (field->type() == pb::FieldDescriptor::TYPE_STRING) return true;
    const pb::Descriptor* within = field->message_type();
    if (within != nullptr && HoldsText(within, seen)) return true;
  }
  return false;
}

TextFields Find(const pb::Descriptor* type) {
  TextFields found;
  for (int i = 0; i < type->field_count(); ++i) {
    const pb::FieldDescriptor* field = type->field(i);
    absl::flat_hash_set<const pb::Descriptor*> seen;
    if (field->type() == pb::FieldDescriptor::TYPE_STRING) {
      found.strings.push_back(field);
    } else if (field->message_type() != nullptr &&
               HoldsText(field->message_type(), &seen)) {
      found.messages.push_back(field);
    }
  }
  return found;
}

const TextFields& TextFieldsOf(const pb::Descriptor* type) {
  thread_local absl::node_hash_map<const pb::Descriptor*, TextFields> known;
  const auto it = known.find(type);
  if (it != known.end()) return it->second;
  return known.emplace(type, Find(type)).first->second;
}

}  // namespace

void CleanText(pb::Message* message) {
  const TextFields& fields = TextFieldsOf(message->GetDescriptor());
  for (const pb::FieldDescriptor* field : fields.strings) {
    CleanString(message, field);
  }
  const pb::Reflection* reflection = message->GetReflection();
  for (const pb::FieldDescriptor* field : fields.messages) {
    if (field->is_repeated() || reflection->HasField(*message, field)) {
      CleanMessages(message, field);
    }
  }
}

}  // namespace llm::server
