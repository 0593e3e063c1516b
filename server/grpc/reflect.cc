#include "server/grpc/reflect.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/support/status.h>

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "llm/v1/service.pb.h"

namespace llm::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using Request = grpc::reflection::v1::ServerReflectionRequest;
using Response = grpc::reflection::v1::ServerReflectionResponse;

// A file that declares services only has nothing a program refers to: the
// linker would leave it out of the server, and no tool would find it.
[[gnu::used]] const void* const kFilesOfServices[] = {
    &descriptor_table_llm_2fv1_2fservice_2eproto,
    &descriptor_table_grpc_2freflection_2fv1alpha_2freflection_2eproto,
};

void Fail(grpc::StatusCode code, const char* message, Response* response) {
  response->mutable_error_response()->set_error_code(code);
  response->mutable_error_response()->set_error_message(message);
}

// `file` and all it imports, each once.
void AddFile(const FileDescriptor* file,
             absl::flat_hash_set<const FileDescriptor*>* seen,
             grpc::reflection::v1::FileDescriptorResponse* out) {
  if (!seen->insert(file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  proto.SerializeToString(out->add_file_descriptor_proto());
  for (int i = 0; i < file->dependency_count(); ++i) {
    AddFile(file->dependency(i), seen, out);
  }
}

void AnswerFile(const FileDescriptor* file, Response* response) {
  if (file == nullptr) {
    Fail(grpc::StatusCode::NOT_FOUND, "no such file or symbol", response);
    return;
  }
  absl::flat_hash_set<const FileDescriptor*> seen;
  AddFile(file, &seen, response->mutable_file_descriptor_response());
}

const FileDescriptor* FileOfExtension(
    const grpc::reflection::v1::ExtensionRequest& asked) {
  const DescriptorPool* pool = DescriptorPool::generated_pool();
  const Descriptor* type = pool->FindMessageTypeByName(asked.containing_type());
  if (type == nullptr) return nullptr;
  const FieldDescriptor* extension =
      pool->FindExtensionByNumber(type, asked.extension_number());
  return extension == nullptr ? nullptr : extension->file();
}

void AnswerExtensions(const std::string& name, Response* response) {
  const DescriptorPool* pool = DescriptorPool::generated_pool();
  const Descriptor* type = pool->FindMessageTypeByName(name);
  if (type == nullptr) {
    Fail(grpc::StatusCode::NOT_FOUND, "no such message", response);
    return;
  }
  auto* answer = response->mutable_all_extension_numbers_response();
  answer->set_base_type_name(name);
  std::vector<const FieldDescriptor*> extensions;
  pool->FindAllExtensions(type, &extensions);
  for (const FieldDescriptor* extension : extensions) {
    answer->add_extension_number(extension->number());
  }
}

}  // namespace

Response Reflect(const Request& request,
                 const std::vector<std::string>& services) {
  const DescriptorPool* pool = DescriptorPool::generated_pool();
  Response response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Request::kFileByFilename:
      AnswerFile(pool->FindFileByName(request.file_by_filename()), &response);
      break;
    case Request::kFileContainingSymbol:
      AnswerFile(
          pool->FindFileContainingSymbol(request.file_containing_symbol()),
          &response);
      break;
    case Request::kFileContainingExtension:
      AnswerFile(FileOfExtension(request.file_containing_extension()),
                 &response);
      break;
    case Request::kAllExtensionNumbersOfType:
      AnswerExtensions(request.all_extension_numbers_of_type(), &response);
      break;
    case Request::kListServices:
      for (const std::string& name : services) {
        response.mutable_list_services_response()->add_service()->set_name(
            name);
      }
      break;
    case Request::MESSAGE_REQUEST_NOT_SET:
      Fail(grpc::StatusCode::INVALID_ARGUMENT,
           "the question is none that grpc.reflection.v1 knows", &response);
      break;
  }
  return response;
}

}  // namespace llm::server
