/* SPDX-License-Identifier: MIT */
/*
 * sal.h: the annotations that Microsoft's code analysis reads. They say nothing to a compiler here.
 * The old spellings (__in, __out_opt ...) are names that C libraries use for their own parameters, so
 * they are here only for a program that defines IOCP_OLD_SAL before, and in C only.
 * Page: "SAL annotations", learn.microsoft.com/cpp/code-quality/understanding-sal.
 */
#ifndef _SAL_H_
#define _SAL_H_
#define _SAL_VERSION 20

#define _Acquires_exclusive_lock_(lock)
#define _Acquires_lock_(lock)
#define _Acquires_nonreentrant_lock_(lock)
#define _Acquires_shared_lock_(lock)
#define _Always_(what)
#define _Analysis_assume_(what)
#define _Analysis_assume_nullterminated_(what)
#define _Analysis_mode_(what)
#define _Analysis_noreturn_
#define _At_(what, then)
#define _At_buffer_(what, index, size, then)
#define _Benign_race_begin_
#define _Benign_race_end_
#define _Callback_
#define _Called_from_function_class_(name)
#define _Check_return_
#define _COM_Outptr_
#define _COM_Outptr_opt_
#define _COM_Outptr_result_maybenull_
#define _Const_
#define _Create_lock_level_(level)
#define _Curr_
#define _Deref_
#define _Deref_in_range_(low, high)
#define _Deref_inout_range_(low, high)
#define _Deref_opt_out_opt_z_
#define _Deref_opt_out_z_
#define _Deref_out_
#define _Deref_out_opt_
#define _Deref_out_range_(low, high)
#define _Deref_out_z_
#define _Deref_post_
#define _Deref_post_count_(size)
#define _Deref_pre_
#define _Deref_pre_valid_
#define _Deref_prepost_z_
#define _Deref_ret_range_(low, high)
#define _Enum_is_bitflag_
#define _Field_range_(low, high)
#define _Field_size_(size)
#define _Field_size_bytes_(size)
#define _Field_size_bytes_full_(size)
#define _Field_size_bytes_opt_(size)
#define _Field_size_bytes_part_(size, count)
#define _Field_size_full_(size)
#define _Field_size_full_opt_(size)
#define _Field_size_opt_(size)
#define _Field_size_part_(size, count)
#define _Field_size_part_opt_(size, count)
#define _Field_z_
#define _Frees_ptr_
#define _Frees_ptr_opt_
#define _Function_class_(name)
#define _Function_ignore_lock_checking_(lock)
#define _Group_(what)
#define _Guarded_by_(lock)
#define _Has_lock_kind_(kind)
#define _Has_lock_level_(level)
#define _In_
#define _In_bound_
#define _In_bytecount_(size)
#define _In_bytecount_c_(size)
#define _In_bytecount_x_(size)
#define _In_count_(size)
#define _In_count_c_(size)
#define _In_NLS_string_(size)
#define _In_opt_
#define _In_opt_bytecount_(size)
#define _In_opt_count_(size)
#define _In_opt_z_
#define _In_range_(low, high)
#define _In_reads_(size)
#define _In_reads_bytes_(size)
#define _In_reads_bytes_opt_(size)
#define _In_reads_opt_(size)
#define _In_reads_opt_z_(size)
#define _In_reads_or_z_(size)
#define _In_reads_or_z_opt_(size)
#define _In_reads_to_ptr_(end)
#define _In_reads_to_ptr_opt_(end)
#define _In_reads_z_(size)
#define _In_z_
#define _In_z_count_(size)
#define _Inexpressible_(what)
#define _Inout_
#define _Inout_bytecount_(size)
#define _Inout_bytecount_c_(size)
#define _Inout_cap_(size)
#define _Inout_count_(size)
#define _Inout_opt_
#define _Inout_opt_bytecount_(size)
#define _Inout_opt_count_(size)
#define _Inout_opt_z_
#define _Inout_updates_(size)
#define _Inout_updates_all_(size)
#define _Inout_updates_all_opt_(size)
#define _Inout_updates_bytes_(size)
#define _Inout_updates_bytes_all_(size)
#define _Inout_updates_bytes_all_opt_(size)
#define _Inout_updates_bytes_opt_(size)
#define _Inout_updates_bytes_to_(size, count)
#define _Inout_updates_bytes_to_opt_(size, count)
#define _Inout_updates_opt_(size)
#define _Inout_updates_opt_z_(size)
#define _Inout_updates_to_(size, count)
#define _Inout_updates_to_opt_(size, count)
#define _Inout_updates_z_(size)
#define _Inout_z_
#define _Inout_z_cap_(size)
#define _Interlocked_
#define _Interlocked_operand_
#define _Internal_lock_level_order_(a, b)
#define _IRQL_requires_(level)
#define _IRQL_requires_max_(level)
#define _IRQL_requires_min_(level)
#define _IRQL_requires_same_
#define _IRQL_restores_
#define _IRQL_saves_
#define _Kernel_entry_
#define _Literal_
#define _Lock_level_order_(a, b)
#define _Maybe_raises_SEH_exception_
#define _Maybenull_
#define _Must_inspect_result_
#define _No_competing_thread_
#define _Not_null_
#define _Notliteral_
#define _Notnull_
#define _Notvalid_
#define _Null_
#define _Null_terminated_
#define _Null_terminated_elements_(size)
#define _NullNull_terminated_
#define _Old_(what)
#define _On_failure_(what)
#define _Out_
#define _Out_bytecap_(size)
#define _Out_bytecap_post_bytecount_(size, count)
#define _Out_bytecapcount_(size)
#define _Out_cap_(size)
#define _Out_cap_post_count_(size, count)
#define _Out_capcount_(size)
#define _Out_opt_
#define _Out_opt_bytecap_(size)
#define _Out_opt_cap_(size)
#define _Out_opt_z_cap_(size)
#define _Out_range_(low, high)
#define _Out_writes_(size)
#define _Out_writes_all_(size)
#define _Out_writes_all_opt_(size)
#define _Out_writes_bytes_(size)
#define _Out_writes_bytes_all_(size)
#define _Out_writes_bytes_all_opt_(size)
#define _Out_writes_bytes_opt_(size)
#define _Out_writes_bytes_to_(size, count)
#define _Out_writes_bytes_to_opt_(size, count)
#define _Out_writes_opt_(size)
#define _Out_writes_opt_z_(size)
#define _Out_writes_to_(size, count)
#define _Out_writes_to_opt_(size, count)
#define _Out_writes_to_ptr_(end)
#define _Out_writes_to_ptr_opt_(end)
#define _Out_writes_z_(size)
#define _Out_z_cap_(size)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_opt_result_buffer_(size)
#define _Outptr_opt_result_buffer_maybenull_(size)
#define _Outptr_opt_result_bytebuffer_(size)
#define _Outptr_opt_result_bytebuffer_maybenull_(size)
#define _Outptr_opt_result_maybenull_
#define _Outptr_opt_result_nullonfailure_
#define _Outptr_opt_result_z_
#define _Outptr_result_buffer_(size)
#define _Outptr_result_buffer_all_(size)
#define _Outptr_result_buffer_maybenull_(size)
#define _Outptr_result_buffer_to_(size, count)
#define _Outptr_result_bytebuffer_(size)
#define _Outptr_result_bytebuffer_all_(size)
#define _Outptr_result_bytebuffer_maybenull_(size)
#define _Outptr_result_bytebuffer_to_(size, count)
#define _Outptr_result_maybenull_
#define _Outptr_result_nullonfailure_
#define _Outptr_result_z_
#define _Outref_
#define _Outref_result_buffer_(size)
#define _Outref_result_bytebuffer_(size)
#define _Outref_result_maybenull_
#define _Points_to_data_
#define _Post_
#define _Post_bytecount_(size)
#define _Post_count_(size)
#define _Post_equal_to_(what)
#define _Post_invalid_
#define _Post_maybenull_
#define _Post_notnull_
#define _Post_null_
#define _Post_ptr_invalid_
#define _Post_readable_byte_size_(size)
#define _Post_readable_size_(size)
#define _Post_same_lock_(a, b)
#define _Post_satisfies_(what)
#define _Post_valid_
#define _Post_writable_byte_size_(size)
#define _Post_writable_size_(size)
#define _Post_z_
#define _Pre_
#define _Pre_bytecap_(size)
#define _Pre_bytecount_(size)
#define _Pre_cap_(size)
#define _Pre_count_(size)
#define _Pre_equal_to_(what)
#define _Pre_invalid_
#define _Pre_maybenull_
#define _Pre_notnull_
#define _Pre_null_
#define _Pre_opt_valid_
#define _Pre_readable_byte_size_(size)
#define _Pre_readable_size_(size)
#define _Pre_readonly_
#define _Pre_satisfies_(what)
#define _Pre_valid_
#define _Pre_writable_byte_size_(size)
#define _Pre_writable_size_(size)
#define _Pre_writeonly_
#define _Pre_z_
#define _Prepost_bytecount_(size)
#define _Prepost_count_(size)
#define _Prepost_z_
#define _Printf_format_string_
#define _Printf_format_string_params_(n)
#define _Raises_SEH_exception_
#define _Readable_bytes_(size)
#define _Readable_elements_(size)
#define _Releases_exclusive_lock_(lock)
#define _Releases_lock_(lock)
#define _Releases_nonreentrant_lock_(lock)
#define _Releases_shared_lock_(lock)
#define _Requires_exclusive_lock_held_(lock)
#define _Requires_lock_held_(lock)
#define _Requires_lock_not_held_(lock)
#define _Requires_no_locks_held_
#define _Requires_shared_lock_held_(lock)
#define _Reserved_
#define _Ret_
#define _Ret_bytecap_(size)
#define _Ret_bytecount_(size)
#define _Ret_cap_(size)
#define _Ret_count_(size)
#define _Ret_maybenull_
#define _Ret_maybenull_z_
#define _Ret_notnull_
#define _Ret_null_
#define _Ret_opt_
#define _Ret_opt_bytecap_(size)
#define _Ret_range_(low, high)
#define _Ret_valid_
#define _Ret_writes_(size)
#define _Ret_writes_bytes_(size)
#define _Ret_writes_bytes_maybenull_(size)
#define _Ret_writes_bytes_to_(size, count)
#define _Ret_writes_maybenull_(size)
#define _Ret_writes_maybenull_z_(size)
#define _Ret_writes_to_(size, count)
#define _Ret_writes_z_(size)
#define _Ret_z_
#define _Return_type_success_(what)
#define _Satisfies_(what)
#define _Scanf_format_string_
#define _Scanf_format_string_params_(n)
#define _Scanf_s_format_string_
#define _Strict_type_match_
#define _Struct_size_bytes_(size)
#define _Success_(what)
#define _Suppress_lock_checking_
#define _Unchanged_(what)
#define _Use_decl_annotations_
#define _Valid_
#define _When_(what, then)
#define _Writable_bytes_(size)
#define _Writable_elements_(size)
#define _Write_guarded_by_(lock)

/* What the SDK's own headers write, harmless beside any library. */
#define __drv_aliasesMem
#define __drv_freesMem(kind)
#define __drv_allocatesMem(kind)
#define __drv_preferredFunction(a, b)
#define __analysis_assume(what)
#define __analysis_assert(what)
#define __callback

#if defined(IOCP_OLD_SAL) && !defined(__cplusplus)
#define __blocksOn
#define __checkReturn
#define __deref
#define __deref_in
#define __deref_in_opt
#define __deref_inout
#define __deref_inout_opt
#define __deref_opt_out
#define __deref_opt_out_opt
#define __deref_out
#define __deref_out_bcount(size)
#define __deref_out_bcount_opt(size)
#define __deref_out_ecount(size)
#define __deref_out_ecount_opt(size)
#define __deref_out_opt
#define __field_bcount(size)
#define __field_bcount_opt(size)
#define __field_ecount(size)
#define __field_ecount_opt(size)
#define __format_string
#define __in
#define __in_bcount(size)
#define __in_bcount_opt(size)
#define __in_ecount(size)
#define __in_ecount_opt(size)
#define __in_ecount_z(size)
#define __in_opt
#define __in_opt_z
#define __in_range(low, high)
#define __in_z
#define __inout
#define __inout_bcount(size)
#define __inout_bcount_full(size)
#define __inout_bcount_opt(size)
#define __inout_bcount_part(size, count)
#define __inout_ecount(size)
#define __inout_ecount_full(size)
#define __inout_ecount_opt(size)
#define __inout_ecount_part(size, count)
#define __inout_opt
#define __inout_z
#define __inout_z_opt
#define __maybenull
#define __notnull
#define __nullterminated
#define __out
#define __out_bcount(size)
#define __out_bcount_full(size)
#define __out_bcount_full_opt(size)
#define __out_bcount_opt(size)
#define __out_bcount_part(size, count)
#define __out_bcount_part_opt(size, count)
#define __out_ecount(size)
#define __out_ecount_full(size)
#define __out_ecount_full_opt(size)
#define __out_ecount_opt(size)
#define __out_ecount_part(size, count)
#define __out_ecount_part_opt(size, count)
#define __out_ecount_z(size)
#define __out_ecount_z_opt(size)
#define __out_opt
#define __out_range(low, high)
#define __out_z
#define __out_z_opt
#define __readonly
#define __reserved
#define __success(what)
#define __valid
#endif

#endif
