/** The contracts with their comments, read from the compiled descriptor set. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
// Installed for libs/contracts.
import { fromBinary, isFieldSet } from '@bufbuild/protobuf';
import {
  FieldDescriptorProtoSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { NotBuilt, root } from './places.js';

/**
 * @import {
 *   DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto
 * } from '@bufbuild/protobuf/wkt'
 * @import { Contract, ContractEnum, ContractField, ContractMessage } from './types.js'
 */

const DESCRIPTORS = 'libs/contracts/dist/generated/descriptors.binpb';

/** Numbers of fields in descriptor.proto: a comment is found by the path of them to what it is about. */
const In = {
  file: { message: 4, enum: 5, service: 6 },
  message: { field: 2, nested: 3, enum: 4 },
  service: { method: 2 },
  enum: { value: 2 },
};

/** @returns {Contract[]} by package */
export function readContracts() {
  const file = path.join(root, DESCRIPTORS);
  if (!existsSync(file)) throw new NotBuilt(DESCRIPTORS);
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(file));
  const own = set.file
    .filter(({ package: name }) => name.startsWith('holdfast.'))
    // The compiler lists what is imported first.
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const packages = [...new Set(own.map(({ package: name }) => name))].sort();
  return packages.map((name) => {
    const files = own.filter((one) => one.package === name).map(readFile);
    return {
      package: name,
      services: files.flatMap(({ services }) => services),
      messages: files.flatMap(({ messages }) => messages),
      enums: files.flatMap(({ enums }) => enums),
    };
  });
}

/**
 * @param {FileDescriptorProto} file
 * @returns {Omit<Contract, 'package'>}
 */
function readFile(file) {
  const comments = new Map(
    (file.sourceCodeInfo?.location ?? []).map(({ path: place, leadingComments }) => [
      place.join(),
      leadingComments,
    ]),
  );
  /** @type {CommentAt} */
  const commentAt = (...place) =>
    (comments.get(place.join()) ?? '')
      .split('\n')
      .map((line) => line.trim())
      .join('\n')
      .trim();
  return {
    services: file.service.map(({ name, method }, at) => ({
      name,
      comment: commentAt(In.file.service, at),
      methods: method.map(({ name: methodName, inputType, outputType, serverStreaming }, index) => ({
        name: methodName,
        comment: commentAt(In.file.service, at, In.service.method, index),
        request: inputType.slice(1),
        response: outputType.slice(1),
        streams: serverStreaming,
      })),
    })),
    messages: file.messageType.flatMap(
      (message, at) => readMessage(message, '', [In.file.message, at], commentAt).messages,
    ),
    enums: [
      ...file.enumType.map((one, at) => readEnum(one, '', [In.file.enum, at], commentAt)),
      ...file.messageType.flatMap(
        (message, at) => readMessage(message, '', [In.file.message, at], commentAt).enums,
      ),
    ],
  };
}

/** @typedef {(...place: number[]) => string} CommentAt */

/**
 * A message and those inside it.
 *
 * @param {DescriptorProto} message
 * @param {string} scope
 * @param {readonly number[]} place
 * @param {CommentAt} commentAt
 * @returns {{ messages: ContractMessage[], enums: ContractEnum[] }}
 */
function readMessage(message, scope, place, commentAt) {
  const name = `${scope}${message.name}`;
  // What a map field is made of is no message of the contract.
  const inner = message.nestedType
    .map((nested, at) => ({ nested, at }))
    .filter(({ nested }) => nested.options?.mapEntry !== true)
    .map(({ nested, at }) => readMessage(nested, `${name}.`, [...place, In.message.nested, at], commentAt));
  const fields = message.field.map((field, at) =>
    readField(field, message, commentAt(...place, In.message.field, at)),
  );
  const enums = message.enumType.map((one, at) =>
    readEnum(one, `${name}.`, [...place, In.message.enum, at], commentAt),
  );
  return {
    messages: [{ name, comment: commentAt(...place), fields }, ...inner.flatMap(({ messages }) => messages)],
    enums: [...enums, ...inner.flatMap(({ enums: innerEnums }) => innerEnums)],
  };
}

/**
 * @param {FieldDescriptorProto} field
 * @param {DescriptorProto} message
 * @param {string} comment
 * @returns {ContractField}
 */
function readField(field, message, comment) {
  const repeated = field.label === FieldDescriptorProto_Label.REPEATED;
  const entry = message.nestedType.find(
    ({ name, options }) => options?.mapEntry === true && field.typeName.endsWith(`.${name}`),
  );
  const [key, value] = entry?.field ?? [];
  const type =
    key !== undefined && value !== undefined ? `map<${typeOf(key)}, ${typeOf(value)}>` : typeOf(field);
  // Its accessor answers 0 for a field of no oneof as well.
  const inOneof = isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex) && !field.proto3Optional;
  return {
    name: field.name,
    type,
    qualifier:
      key !== undefined
        ? ''
        : repeated
          ? 'repeated'
          : field.proto3Optional
            ? 'optional'
            : inOneof
              ? 'one of'
              : '',
    comment,
  };
}

/** @param {FieldDescriptorProto} field */
function typeOf({ type, typeName }) {
  return typeName === '' ? FieldDescriptorProto_Type[type].toLowerCase() : typeName.slice(1);
}

/**
 * @param {EnumDescriptorProto} one
 * @param {string} scope
 * @param {readonly number[]} place
 * @param {CommentAt} commentAt
 * @returns {ContractEnum}
 */
function readEnum(one, scope, place, commentAt) {
  return {
    name: `${scope}${one.name}`,
    comment: commentAt(...place),
    values: one.value.map(({ name, number }, at) => ({
      name,
      number,
      comment: commentAt(...place, In.enum.value, at),
    })),
  };
}
